/** What the build uses of Node.js; its own types are a package that nothing else here needs. */

declare module "node:crypto" {
  interface Hash {
    update(content: string | Uint8Array): Hash;
    digest(encoding: "hex"): string;
  }
  export function createHash(name: "sha256"): Hash;
}

declare module "node:fs" {
  interface Entry {
    name: string;
    parentPath: string;
    isFile(): boolean;
  }
  export function readFileSync(path: string): Uint8Array;
  export function readFileSync(path: string, encoding: "utf8"): string;
  export function readdirSync(
    path: string,
    options: { recursive: true; withFileTypes: true },
  ): Entry[];
  export function writeFileSync(path: string, content: string): void;
}

declare module "node:path" {
  export function join(...parts: string[]): string;
}
