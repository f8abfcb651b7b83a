// What the server tells the island (web/pages/explore.py, _scene), and the address that a state has.

export interface Scene {
  contigs: [string, number, number][];
  region: string;
  studies: { name: string; label: string; window: string; overview: string }[];
  ld: string;
  lead: string; // the lead that the server chose where none is named
  panel: string;
  population: string;
  panels: boolean;
  ld_span: number;
  page: string;
  around: string;
  variants: string;
  texts: Record<string, string>;
  shapes: Record<string, string>;
  threshold: number;
}

export interface State { region: string; ld: string }

/** The query of a state, as the server writes it: empty values are left out. */
export function queryOf(scene: Scene, state: State): string {
  const query = new URLSearchParams();
  const studies = scene.studies.map((study) => study.name).join(",");
  const pairs: [string, string][] = [["region", state.region], ["studies", studies], ["ld", state.ld], ["panel", scene.panel],
    ["population", scene.population]];
  for (const [name, value] of pairs) if (value) query.set(name, value);
  return query.toString();
}

/** What an address says of the state. */
export function stateOf(search: string): State {
  const query = new URLSearchParams(search);
  return { region: query.get("region") ?? "", ld: query.get("ld") ?? "" };
}

/** A text with its {names} filled in. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
