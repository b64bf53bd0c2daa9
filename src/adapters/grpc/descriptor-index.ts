import {
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Some proto files and all that they import, by what they declare. Files are given as serialized FileDescriptorProtos. */
export interface DescriptorIndex {
  /** The file of this name, such as `google/protobuf/timestamp.proto`, and all that it imports. */
  byName(name: string): Uint8Array<ArrayBuffer>[] | undefined;
  /** The file that declares this full name, and all that it imports. */
  bySymbol(symbol: string): Uint8Array<ArrayBuffer>[] | undefined;
  /** The file that declares the extension of this message with this number, and all that it imports. */
  byExtension(message: string, extension: number): Uint8Array<ArrayBuffer>[] | undefined;
  /** The numbers of the known extensions of this message, ascending; undefined if there is no such message. */
  extensionNumbers(message: string): number[] | undefined;
}

export function indexDescriptors(roots: readonly DescFile[]): DescriptorIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of withImports(roots)) {
    files.set(file.proto.name, file);
    for (const symbol of declaredSymbols(file)) {
      symbols.set(symbol, file);
    }
    for (const type of nestedTypes(file)) {
      if (type.kind === "message" && !extensions.has(type.typeName)) {
        extensions.set(type.typeName, new Map());
      } else if (type.kind === "extension") {
        const known = extensions.get(type.extendee.typeName) ?? new Map<number, DescFile>();
        extensions.set(type.extendee.typeName, known.set(type.number, file));
      }
    }
  }

  const serialized = new Map<DescFile, Uint8Array<ArrayBuffer>[]>();
  const serialize = (file: DescFile | undefined): Uint8Array<ArrayBuffer>[] | undefined => {
    if (file === undefined) {
      return undefined;
    }
    const known = serialized.get(file);
    if (known !== undefined) {
      return known;
    }
    const bytes = withImports([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
    serialized.set(file, bytes);
    return bytes;
  };

  return {
    byName: (name) => serialize(files.get(name)),
    bySymbol: (symbol) => serialize(symbols.get(symbol)),
    byExtension: (message, extension) => serialize(extensions.get(message)?.get(extension)),
    extensionNumbers(message) {
      const known = extensions.get(message);
      return known && [...known.keys()].toSorted((a, b) => a - b);
    },
  };
}

/** The files and all that they import, each before what it imports, none twice. */
function withImports(files: readonly DescFile[]): DescFile[] {
  const importsFirst = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (!importsFirst.has(file)) {
      file.dependencies.forEach(add);
      importsFirst.add(file);
    }
  };
  files.forEach(add);
  return [...importsFirst].toReversed();
}

/** Every full name that a client may ask for: types, extensions, services, and what is declared in them. */
function declaredSymbols(file: DescFile): string[] {
  return [...nestedTypes(file)].flatMap((type) => [type.typeName, ...memberNames(type)]);
}

function memberNames(type: DescMessage | DescEnum | DescExtension | DescService): string[] {
  switch (type.kind) {
    case "message":
      return [...type.fields, ...type.oneofs].map(({ name }) => `${type.typeName}.${name}`);
    case "service":
      return type.methods.map(({ name }) => `${type.typeName}.${name}`);
    case "enum": {
      // An enum's values are names beside the enum, not in it.
      const scope = type.typeName.slice(0, type.typeName.lastIndexOf(".") + 1);
      return type.values.map(({ name }) => `${scope}${name}`);
    }
    case "extension":
      return [];
  }
}
