declare const brand: unique symbol;

/** A value that the compiler keeps apart from others of the same shape: a KeyId is no Digest, though both are strings. */
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name };
