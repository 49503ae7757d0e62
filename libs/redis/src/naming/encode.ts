const PLAIN = /^[\w.-]*$/;

/**
 * A text as part of a name: without `/`, `:` and braces, and different for different texts. Throws `URIError` for a text that
 * is no Unicode (half of a surrogate pair).
 */
export function encode(text: string): string {
  return PLAIN.test(text) ? text : encodeURIComponent(text);
}

/** Several texts as one name; the borders between them are kept. */
export function joined(...parts: readonly string[]): string {
  return parts.map(encode).join('/');
}

/** The correlation key of a name that {@link joined} made of its two parts. */
export function keyOf(name: string): { readonly name: string; readonly value: string } {
  const [first = '', second = ''] = name.split('/');
  return { name: decodeURIComponent(first), value: decodeURIComponent(second) };
}
