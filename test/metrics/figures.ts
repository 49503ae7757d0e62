import type { Meter } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

class TestReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** A meter, and the figures that it has now by `name{attribute=value,…}`. Histograms give their count. */
export function testMeter(): { meter: Meter; figures(): Promise<Readonly<Record<string, number>>> } {
  const reader = new TestReader();
  const provider = new MeterProvider({ readers: [reader] });
  const figures = async (): Promise<Record<string, number>> => {
    const { resourceMetrics, errors } = await reader.collect();
    if (errors.length > 0) throw errors[0];
    const points = resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }): [string, number] => {
          const labels = Object.entries(attributes).map(([name, each]) => `${name}=${String(each)}`);
          const key = labels.length === 0 ? descriptor.name : `${descriptor.name}{${labels.join(',')}}`;
          return [key, typeof value === 'number' ? value : value.count];
        }),
      ),
    );
    return Object.fromEntries(points);
  };
  return { meter: provider.getMeter('test'), figures };
}
