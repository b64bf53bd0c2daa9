import type { Api, ApiId } from "../domain/api.ts";
import { RouteTable } from "./route-table.ts";

/** All APIs, by id and by token prefix. Never changed: a new one takes its place. */
export class ApiDirectory {
  readonly #byId: ReadonlyMap<string, Api>;
  readonly #byPrefix: ReadonlyMap<string, Api>;
  readonly #routes = new Map<ApiId, RouteTable>();
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

  /** The routes of one of its APIs, made ready when somebody asks first. */
  routesOf(api: Api): RouteTable {
    const known = this.#routes.get(api.id);
    if (known !== undefined) return known;
    const routes = new RouteTable(api.routeRules);
    this.#routes.set(api.id, routes);
    return routes;
  }
}
