import type { Api, ApiId } from "../domain/api.ts";

/** All APIs, by id and by token prefix. Never changed: a new one takes its place. */
export class ApiDirectory {
  readonly #byId: ReadonlyMap<string, Api>;
  readonly #byPrefix: ReadonlyMap<string, Api>;
  /** Those that accept tokens issued elsewhere. */
  readonly importing: readonly Api[];

  constructor(apis: readonly Api[]) {
    this.#byId = new Map(apis.map((api) => [api.id, api]));
    this.#byPrefix = new Map(apis.map((api) => [api.tokenPrefix, api]));
    this.importing = apis.filter((api) => api.importedTokenShapes.length > 0);
  }

  byId(id: ApiId | string): Api | undefined {
    return this.#byId.get(id);
  }

  byPrefix(prefix: string): Api | undefined {
    return this.#byPrefix.get(prefix);
  }
}
