import { blockOf, compileBlock } from './content.js';
import { assignTo, checkLocation, type Run } from './location.js';
import type { Variables } from './data-model.js';
import { attributeOf, contentOf, payloadOf } from './send.js';
import type { ScxmlSource } from './source.js';
import { elements, type XmlElement } from './xml.js';

/** What the runner is asked to start: the input of the invoke effect. Without input nothing is started. */
export interface ScxmlInvocation {
  readonly id: string;
  readonly type: string;
  readonly src: string | undefined;
  /** The document itself, where it stands in place. */
  readonly content: unknown;
  readonly data: unknown;
  readonly autoforward: boolean;
}

/** Config of an `<invoke>`; what it needs of the data is worked out on entry, where an error can be told. */
export function invokeConfig(source: ScxmlSource, element: XmlElement, key: string): Record<string, unknown> {
  const [finalize] = elements(element, 'finalize');
  return {
    id: element.attributes.get('id') ?? key,
    src: 'scxml',
    input: ({ context }: { context: Variables }) => context[`_invoke ${key}`],
    ...(finalize === undefined ? {} : { finalize: finalizeOf(source, element, finalize) }),
  };
}

export function compileInvoke(_source: ScxmlSource, element: XmlElement, key: string): Run {
  const { attributes } = element;
  const [content] = elements(element, 'content');
  const location = attributes.get('idlocation');
  return (execution) => {
    execution.set(`_invoke ${key}`, undefined);
    const id = attributes.get('id') ?? key;
    if (location !== undefined) {
      checkLocation(execution, location);
      assignTo(execution, location, id);
    }
    const invocation: ScxmlInvocation = {
      id,
      type: attributeOf(execution, element, 'type') ?? 'scxml',
      src: attributeOf(execution, element, 'src'),
      content: content === undefined ? undefined : (inlineOf(content) ?? contentOf(execution, content)),
      data: payloadOf(execution, {
        ...element,
        children: element.children.filter((child) => child !== content),
      }),
      autoforward: attributes.get('autoforward') === 'true',
    };
    execution.set(`_invoke ${key}`, invocation);
  };
}

function inlineOf(content: XmlElement): string | undefined {
  return elements(content, 'scxml').length === 0 ? undefined : content.source;
}

/** An empty `<finalize>` takes over the event's data into the variables it was sent from (SCXML 6.5). */
function finalizeOf(source: ScxmlSource, invoke: XmlElement, finalize: XmlElement): unknown[] {
  if (elements(finalize).length > 0) return [blockOf(source, compileBlock(source, finalize))];
  const names = (invoke.attributes.get('namelist') ?? '').split(/\s+/).filter((name) => name !== '');
  const locations = elements(invoke, 'param').flatMap(({ attributes }) => attributes.get('location') ?? []);
  return [
    blockOf(source, [
      (execution) => {
        const data = (execution.event['data'] ?? {}) as Variables;
        for (const name of [...names, ...locations])
          if (Object.hasOwn(data, name)) assignTo(execution, name, data[name]);
      },
    ]),
  ];
}
