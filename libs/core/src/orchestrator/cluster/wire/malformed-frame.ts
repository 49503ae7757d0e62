/** A frame that can't be read. It never leaves the room: whoever reads refuses the sender. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame';
}
