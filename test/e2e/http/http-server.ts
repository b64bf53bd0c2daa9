import { afterAll, beforeAll } from "vitest";
import {
  type KeywardenProcess,
  startKeywarden,
  temporaryDirectory,
} from "../../support/keywarden-process.ts";

/** What a request of a test has beside its body. */
export type Headers = Readonly<Record<string, string>>;

interface CreatedKey {
  readonly keyId: string;
  readonly token: string;
}

export interface HttpServerOfTests {
  readonly process: KeywardenProcess;
  /** `http://host:port` of `--http`. */
  readonly base: string;
  /** A key of the API `c2p` in `test`, unless the fields say otherwise. */
  createKey(fields?: object): Promise<CreatedKey>;
  /** A caller's credential, with these scopes and this binding. */
  createCredential(fields?: { scopes?: string[]; binding?: object }): Promise<string>;
  post(path: string, message: unknown, headers?: Headers): Promise<Response>;
  postForm(path: string, form: string | Record<string, string>, headers?: Headers): Promise<Response>;
}

/** A real server for all tests of a file, with the API `c2p`. */
export function httpServerOfTests(flags: readonly string[] = ["--environment", "test"]): HttpServerOfTests {
  const directory = temporaryDirectory();
  let server: KeywardenProcess;
  let admin: ReturnType<KeywardenProcess["adminClient"]>;
  beforeAll(async () => {
    server = await startKeywarden({ directory: directory.path, flags });
    admin = server.adminClient();
    await admin.createApi({
      api: { apiId: "c2p", displayName: "C2P", tokenPrefix: "c2p", environments: ["test", "live"] },
    });
  });
  afterAll(async () => {
    await server.stop();
    directory.remove();
  });

  async function createKey(fields: object): Promise<CreatedKey> {
    const created = await admin.createKey({
      key: { api: "c2p", environment: "test", owner: "acct_1", ...fields },
    });
    return { keyId: created.key!.keyId, token: created.token };
  }

  const send = (path: string, type: string, body: string, headers: Headers) =>
    fetch(`http://${server.http}${path}`, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body,
    });

  return {
    get process() {
      return server;
    },
    get base() {
      return `http://${server.http}`;
    },
    createKey: (fields = {}) => createKey(fields),
    async createCredential(fields = {}) {
      const key = {
        api: "keywarden",
        environment: "live",
        owner: "backend",
        scopes: ["verify:call"],
        ...fields,
      };
      return (await createKey(key)).token;
    },
    post: (path, message, headers = {}) => send(path, "application/json", JSON.stringify(message), headers),
    postForm: (path, form, headers = {}) =>
      send(path, "application/x-www-form-urlencoded", new URLSearchParams(form).toString(), headers),
  };
}

export function basic(id: string, secret: string): Headers {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` };
}

export function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` };
}
