import { startProcess, type TestProcess } from '../support/processes.js';
import type { StationOrder, StationWord } from './station.process.js';

type Word<K extends StationWord['kind']> = Extract<StationWord, { kind: K }>;

/** An endpoint in a process of its own, and what it told. */
export class Remote {
  private readonly words: StationWord[] = [];
  private readonly waiting = new Set<() => void>();
  readonly process: TestProcess;

  constructor(order: StationOrder) {
    this.process = startProcess(import.meta.url, './station.process.ts', order);
    this.process.onMessage<StationWord>((word) => {
      this.words.push(word);
      for (const look of this.waiting) look();
    });
  }

  static async joined(order: StationOrder): Promise<Remote> {
    const remote = new Remote(order);
    await remote.word('joined');
    return remote;
  }

  /** The first word of that kind that fits, told or to come. */
  word<K extends StationWord['kind']>(
    kind: K,
    fits: (word: Word<K>) => boolean = () => true,
  ): Promise<Word<K>> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.words.find((word): word is Word<K> => word.kind === kind && fits(word as Word<K>));
        if (found === undefined) return;
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      look();
    });
  }

  /** Settles when it has heard of an endpoint in that state, after what it heard before. */
  async hears(name: string, state: string, from = 0): Promise<number> {
    const isIt = (word: StationWord): boolean =>
      word.kind === 'peer' && word.peer.endpoint.name === name && word.peer.state === state;
    await this.word('peer', (word) => isIt(word) && this.words.indexOf(word) >= from);
    return this.words.findIndex((word, at) => at >= from && isIt(word)) + 1;
  }

  /** What it got of a sender until that one was lost. */
  lastOf(incarnation: string): Promise<Word<'received'>> {
    return this.word('received', ({ from, isLast }) => isLast && from.incarnation === incarnation);
  }

  async incarnation(): Promise<string> {
    return (await this.word('joined')).endpoint.incarnation;
  }

  async leave(): Promise<void> {
    this.process.send('leave');
    await this.process.ended;
  }
}
