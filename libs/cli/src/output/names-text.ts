/** A name of a cluster, as reports tell it. */
export interface NameLine {
  readonly name: string;
  readonly holder: string;
  readonly about: string;
  readonly state?: 'alive' | 'dead';
}

/** The names of a cluster, for people. */
export function namesText(names: readonly NameLine[], most?: number): readonly string[] {
  return [
    `Names, ${names.length}${most === undefined ? '' : ` of ${most}`}:`,
    ...names.map(
      ({ name, holder, about, state }) =>
        `  ${name}  held by ${holder}${state === 'dead' ? ', which is dead' : ''}${about === '' ? '' : `: ${about}`}`,
    ),
  ];
}
