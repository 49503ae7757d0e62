import { literalOf, type Run } from './location.js';
import type { Variables } from './data-model.js';
import type { Execution } from './execution.js';
import { contentOf, paramOf } from './send.js';
import type { ScxmlSource } from './source.js';
import { elements, type XmlElement } from './xml.js';

/** Compiles a `<data>`: declared always, with the value its expression, file, text or, at the top, the caller gives. */
export function compileData(source: ScxmlSource, element: XmlElement, top: boolean): Run {
  const id = element.attributes.get('id') ?? '';
  return (execution) => {
    if (execution.has(id)) return;
    const given = top ? givenData(execution) : {};
    execution.set(id, undefined);
    execution.set(id, Object.hasOwn(given, id) ? given[id] : valueOf(source, execution, element));
  };
}

function givenData({ event }: Execution): Variables {
  const input = event['input'] as { data?: Variables } | undefined;
  return input?.data ?? {};
}

function valueOf(source: ScxmlSource, execution: Execution, element: XmlElement): unknown {
  const expression = element.attributes.get('expr');
  if (expression !== undefined) return execution.evaluate(expression);
  const uri = element.attributes.get('src');
  if (uri === undefined) return literalOf(execution, element);
  const text = source.read(uri);
  return literalOf(execution, { ...element, children: [text] });
}

/** Compiles `<donedata>` (SCXML 5.5): kept until the final state raises its done event. A faulty one leaves it without data. */
export function compileDoneData(_source: ScxmlSource, element: XmlElement, id: string): Run {
  const [content] = elements(element, 'content');
  return (execution) => {
    execution.set(`_done ${id}`, undefined);
    execution.set(
      `_done ${id}`,
      content === undefined ? paramsOf(execution, element) : contentOf(execution, content),
    );
  };
}

function paramsOf(execution: Execution, element: XmlElement): Variables {
  return Object.fromEntries(
    elements(element, 'param').map((param) => [
      param.attributes.get('name') ?? '',
      paramOf(execution, param),
    ]),
  );
}
