/** The store, or some of its parts, with some of its methods replaced. */
export function overrideStore<Parts extends object>(store: Parts, methods: Partial<Parts>): Parts {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
