import { ScxmlError } from '../errors.js';
import type { ScxmlDataModel } from './data-model.js';

/** What the caller of `fromScxml` may bring. */
export interface ScxmlOptions {
  /** Evaluates expressions and scripts. Without one, a document may only ask `In('state')`. */
  readonly dataModel?: ScxmlDataModel;
  /** Text behind a `src` of data or script. */
  readonly read?: (uri: string) => string;
  /** Is there somebody behind `#_…`? Where not, `<send>` raises `error.communication`. Everybody is there by default. */
  readonly reaches?: (target: string) => boolean;
}

/** What compiling a document needs. */
export interface ScxmlSource {
  readonly dataModel: ScxmlDataModel;
  read(uri: string): string;
  reaches(target: string): boolean;
}

export function sourceOf({
  dataModel = nullDataModel,
  read = refuseToRead,
  reaches = () => true,
}: ScxmlOptions): ScxmlSource {
  return { dataModel, read, reaches };
}

function refuseToRead(uri: string): never {
  throw new ScxmlError(`the document refers to '${uri}'; pass { read } to fromScxml`);
}

/** SCXML's null data model (B.1). */
const nullDataModel: ScxmlDataModel = {
  evaluate(expression, _variables, system) {
    const id = /^\s*In\(\s*(['"])(.*)\1\s*\)\s*$/.exec(expression)?.[2];
    if (id === undefined)
      throw new ScxmlError(
        `the expression '${expression}' needs a data model; pass { dataModel } to fromScxml`,
      );
    return (system['In'] as (id: string) => boolean)(id);
  },
  execute(statements) {
    throw new ScxmlError(
      `the script '${statements.slice(0, 40)}' needs a data model; pass { dataModel } to fromScxml`,
    );
  },
};
