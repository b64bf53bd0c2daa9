import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";
import { nearestName } from "../domain/nearest-name.ts";
import type { Api } from "../gen/keywarden/v1/api_pb.ts";
import { API_FILE_FIELDS, apiFile, toApi } from "./api-file-schema.ts";
import { usage } from "./failure.ts";

/** The node that a problem is about: a key of the map at `path`, or the nearest thing that is there. */
function nodeAt(document: Document, path: readonly PropertyKey[], key?: string): Node | undefined {
  const at = document.getIn(path, true);
  if (isMap(at) && key !== undefined) {
    const named = at.items.map((pair) => pair.key).find((node) => isScalar(node) && node.value === key);
    if (isNode(named)) return named;
  }
  if (isNode(at)) return at;
  return path.length === 0 ? undefined : nodeAt(document, path.slice(0, -1));
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The field of `path` that should not be there. */
  readonly key?: string;
}

function problemsOf(issue: z.core.$ZodIssue): readonly Problem[] {
  const { path, message } = issue;
  if (issue.code !== "unrecognized_keys") return [{ path, message }];
  return issue.keys.map((key) => {
    const meant = nearestName(key, API_FILE_FIELDS);
    return { path, key, message: meant === undefined ? "there is no such field" : `did you mean ${meant}?` };
  });
}

/** The document's value; an alias that leads nowhere or too far is a problem of the file. */
function contentOf(document: Document, name: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw usage(`${name} is not valid YAML`, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Reads an API from YAML.
 * @param name the file's name, for errors.
 * @throws Failure with the line and column of everything that is wrong.
 */
export function parseApiFile(text: string, name: string): Api {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    throw usage(
      `${name} is not valid YAML`,
      ...syntax.map(({ pos, message }) => `${place(pos[0])}: ${message}`),
    );
  }
  const parsed = apiFile.safeParse(contentOf(document, name));
  if (parsed.success) return toApi(parsed.data);
  const problems = parsed.error.issues
    .flatMap(problemsOf)
    .map(({ path, message, key }) => {
      const field = [...path, ...(key === undefined ? [] : [key])].join(".");
      const offset = nodeAt(document, path, key)?.range?.[0] ?? 0;
      return { offset, text: field === "" ? message : `${field}: ${message}` };
    })
    .toSorted((one, other) => one.offset - other.offset);
  throw usage(
    `${name} does not describe an API`,
    ...problems.map(({ offset, text: what }) => `${place(offset)}: ${what}`),
  );
}
