import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import type { Api, ImportedTokenShape } from "../gen/keywarden/v1/api_pb.ts";
import { apiFields, apiYaml } from "./api-yaml.ts";
import type { Paint } from "./paint.ts";
import { safeText } from "./safe-text.ts";

/** The fields that differ between two APIs of one id, as an update mask names them. */
export function changedFields(before: Api, after: Api): readonly string[] {
  const [old, wanted] = [apiFields(before), apiFields(after)];
  return Object.keys({ ...old, ...wanted }).filter(
    (name) => JSON.stringify(old[name]) !== JSON.stringify(wanted[name]),
  );
}

/** What would be gone: of this, keys and callers may still make use. */
export interface Removals {
  readonly environments: readonly string[];
  readonly scopes: readonly string[];
  /** Those of which some tokens would have none any more. */
  readonly shapes: readonly ImportedTokenShape[];
}

export function removals(before: Api, after: Api): Removals {
  return {
    shapes: before.importedTokenShapes.filter(
      (shape) => !after.importedTokenShapes.some((wider) => isWithin(shape, wider)),
    ),
    environments: before.environments.filter((name) => !after.environments.includes(name)),
    scopes: before.scopes
      .map(({ name }) => name)
      .filter((name) => !after.scopes.some((scope) => scope.name === name)),
  };
}

/** Has every token of the one shape the other one, too? */
function isWithin(shape: ImportedTokenShape, wider: ImportedTokenShape): boolean {
  return (
    shape.prefix.startsWith(wider.prefix) &&
    wider.minLength <= shape.minLength &&
    shape.maxLength <= wider.maxLength
  );
}

function lineStyle(line: string): Parameters<Paint>[0] {
  if (line.startsWith("---") || line.startsWith("+++")) return "bold";
  if (line.startsWith("-")) return "red";
  if (line.startsWith("+")) return "green";
  return line.startsWith("@@") ? "cyan" : "none";
}

/** A unified diff of two APIs as YAML; without `before`, everything is new. */
export function apiDiff(before: Api | undefined, after: Api, fileName: string, paint: Paint): string {
  const old = before === undefined ? "" : apiYaml(before);
  const oldName = before === undefined ? "(not on the server)" : "server";
  const patch = createTwoFilesPatch(oldName, fileName, old, apiYaml(after), undefined, undefined, {
    context: 2,
    headerOptions: FILE_HEADERS_ONLY,
  });
  const lines = patch
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/\S.*/, safeText));
  return lines.map((line) => `${paint(lineStyle(line), line)}\n`).join("");
}
