import { z } from "zod";

/** What people are told of a setting; its parser is the zod schema that it is registered with. */
interface Description {
  /** What stands for the value in help, such as `host:port`. None: a switch, which is given without a value. */
  readonly value?: string;
  readonly summary: string;
  /** What an unset setting comes to: `default` itself, or words where that depends on others. */
  readonly unset?: string;
  readonly default?: string;
  /** Never shown, and only to be given as a variable, as everyone on the machine can read a command's arguments. */
  readonly secret?: true;
}

/** A row of a settings table, ready to make a flag, a variable, a help line or a line of the docs. */
export interface Setting extends Description {
  /** As the parsed settings call it: `adminGrpc`. */
  readonly name: string;
  /** `--admin-grpc`; undefined for a secret. */
  readonly flag: string | undefined;
  /** `KEYWARDEN_ADMIN_GRPC`. */
  readonly variable: string;
}

const descriptions = z.registry<Description>();

type Value = z.ZodType<unknown, string>;

/** A setting that has a value even if nobody gives one. */
export function setting<Schema extends Value>(
  schema: Schema,
  description: Description & { readonly default: string },
): z.ZodPipe<z.ZodPrefault<z.ZodString>, Schema> {
  const withDefault = z.string().prefault(description.default).pipe(schema);
  descriptions.add(withDefault, description);
  return withDefault;
}

/** A setting that may be undefined. */
export function optionalSetting<Schema extends Value>(
  schema: Schema,
  description: Description,
): z.ZodOptional<Schema> {
  const optional = z.optional(schema);
  descriptions.add(optional, description);
  return optional;
}

/** The rows of a table, in its order. */
export function rowsOf(table: z.ZodObject): readonly Setting[] {
  return Object.entries(table.shape).map(([name, schema]) => {
    const description = descriptions.get(schema);
    if (description === undefined) throw new Error(`the setting ${name} is not described`);
    const words = name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
    return {
      ...description,
      name,
      flag: description.secret === true ? undefined : `--${words}`,
      variable: `KEYWARDEN_${words.replaceAll("-", "_").toUpperCase()}`,
    };
  });
}
