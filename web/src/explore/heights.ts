// −log₁₀ p to a share of the height, compressed above 20 where the strongest signal lies beyond 40: the same
// fold as the server's pictures (web/pages/figures.py, YScale).

const FOLD_AT = 20;
const FOLD_OVER = 40;
const FOLD_SHARE = 0.6;

export class Heights {
  constructor(readonly top: number) {}

  static of(strongest: number, threshold: number): Heights {
    return new Heights(Math.max(strongest, threshold) * 1.1);
  }

  get folded(): boolean {
    return this.top > FOLD_OVER;
  }

  share(y: number): number {
    if (!this.folded) return y / this.top;
    return y <= FOLD_AT ? (y / FOLD_AT) * FOLD_SHARE
      : FOLD_SHARE + ((1 - FOLD_SHARE) * (y - FOLD_AT)) / (this.top - FOLD_AT);
  }

  ticks(): number[] {
    if (!this.folded) return nice(this.top, 5);
    return [...nice(FOLD_AT, 4), ...nice(this.top, 4).filter((t) => t > FOLD_AT * 1.4)];
  }
}

function nice(top: number, count: number): number[] {
  const raw = top / count;
  const scale = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((s) => s * scale).find((s) => s >= raw) ?? raw;
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => i * step);
}
