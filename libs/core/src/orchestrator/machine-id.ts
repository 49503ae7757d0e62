const LONGEST_ID = 256;
/** Halves of characters that stand alone: they have no bytes in UTF-8, so that two such texts would be one name elsewhere. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether something can be the id of a machine. */
export function isMachineId(id: unknown): id is string {
  return (
    typeof id === 'string' && id !== '' && id.length <= LONGEST_ID && !id.includes('#') && isWholeText(id)
  );
}

/** Whether all of a text survives where it is written as bytes. */
export function isWholeText(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
