// What the browse island uses of igv.js 3; its own igv.d.ts describes another build.
declare module "igv/dist/igv.esm.min.js" {
  interface Igv {
    createBrowser(host: HTMLElement, options: Record<string, unknown>): Promise<unknown>;
  }
  const igv: Igv;
  export default igv;
}
