import { AsyncLocalStorage } from "node:async_hooks";

/** What is logged with every line that is written while a call is served, whoever writes it. */
export interface RequestContext {
  readonly requestId: string;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();
