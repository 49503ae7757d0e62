/** A frame that can't be read. It never leaves the room: whoever reads refuses the sender. */
export class MalformedFrame extends Error {
  override readonly name: string = 'MalformedFrame';
}

/** A frame that can be read, but not after the last one of its sender: frames between them are missing, or it came a second time. */
export class FrameOutOfOrder extends MalformedFrame {
  override readonly name = 'FrameOutOfOrder';
}
