import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The world outside of the nodes: told of effects by HTTP, it knows each by its id, so that a repeat is not a second one. */
export class Outside {
  /** By kind and errand, the ids under which it was done, with how often. */
  private readonly done = new Map<string, Map<string, number>>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(): Promise<Outside> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const outside = new Outside(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      const [, kind = '', errand = '', id = ''] = (request.url ?? '').split('/');
      outside.take(`${kind} ${errand}`, id);
      response.end();
    });
    return outside;
  }

  /** How many ids an effect of an errand has come under. */
  ids(kind: string, errand: string): number {
    return this.done.get(`${kind} ${errand}`)?.size ?? 0;
  }

  /** How many effects have come more than once, under their one id. */
  get repeats(): number {
    return [...this.done.values()].flatMap((ids) => [...ids.values()]).filter((times) => times > 1).length;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private take(effect: string, id: string): void {
    const ids = this.done.get(effect) ?? new Map<string, number>();
    ids.set(id, (ids.get(id) ?? 0) + 1);
    this.done.set(effect, ids);
  }
}
