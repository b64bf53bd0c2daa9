import type { Command } from "commander";
import { GetApiResponseSchema, ListApisResponseSchema } from "../gen/keywarden/v1/admin_service_pb.ts";
import type { Api } from "../gen/keywarden/v1/api_pb.ts";
import { callAdmin } from "./call.ts";
import { clientAction, type Registration, responseJson } from "./client-command.ts";
import { examples } from "./examples.ts";
import { addPaging, type PagingOptions, printPages } from "./paging.ts";
import { safeText, shorten } from "./safe-text.ts";
import type { Column } from "./table.ts";
import { timeText } from "./time-text.ts";

function apiColumns(now: number): readonly Column<Api>[] {
  return [
    { title: "ID", text: ({ apiId }) => apiId },
    { title: "NAME", text: ({ displayName }) => shorten(displayName, 40) },
    { title: "TOKENS", text: ({ tokenPrefix }) => `${tokenPrefix}_…` },
    { title: "ENVIRONMENTS", text: ({ environments }) => environments.join(", ") },
    { title: "SCOPES", text: ({ scopes }) => (scopes.length === 0 ? "any" : String(scopes.length)) },
    { title: "CHANGED", text: ({ updateTime }) => timeText(updateTime, now, "-") },
  ];
}

/** `keywarden api list`. */
export function addApiList(parent: Command, registration: Registration): void {
  const command = parent.command("list").summary("list APIs").description("Lists APIs by id.");
  addPaging(command);
  examples(command, [["keywarden api list", "every API, if there are not more than 100"]]);
  clientAction(command, registration, async (session) => {
    await callAdmin(session.settings, (client) =>
      printPages(session, command.opts<PagingOptions>(), {
        schema: ListApisResponseSchema,
        columns: apiColumns(session.shell.now()),
        empty: "no APIs",
        page: (place) => client.listApis(place),
        rows: ({ apis }) => apis,
        id: ({ apiId }) => apiId,
      }),
    );
    return "ok";
  });
}

/** `keywarden api get`. */
export function addApiGet(parent: Command, registration: Registration): void {
  const command = parent
    .command("get")
    .summary("show an API, as YAML")
    .description("Shows an API as a file that api apply takes; with --json also its times and its etag.")
    .argument("<id>", "the API's id");
  examples(command, [["keywarden api get c2p > c2p.yaml", "keep it in a file"]]);
  clientAction(command, registration, async ({ settings, shell, print }, apiId) => {
    const response = await callAdmin(settings, (client) => client.getApi({ apiId }));
    if (settings.json) {
      await print(responseJson(GetApiResponseSchema, response));
    } else if (response.api !== undefined) {
      const { apiYaml } = await import("./api-yaml.ts");
      const yaml = apiYaml(response.api);
      await print(shell.stdout.isTTY === true ? yaml.replace(/\S.*/g, safeText) : yaml);
    }
    return "ok";
  });
}
