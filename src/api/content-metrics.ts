import { Gauge, type Registry } from 'prom-client';
import type { ContentStatus } from '../storage/content/port.ts';

/** What the content store and each of its nodes say of themselves, asked at each scrape. Nodes are told by their place. */
export function contentMetrics(registry: Registry, status: () => Promise<ContentStatus>): void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ['node'], registers: [registry] });
  const batches = gauge('medseal_content_batches', 'Batches that a node of the content store keeps');
  const bytes = gauge('medseal_content_bytes', 'Bytes that a node of the content store holds');
  const free = gauge('medseal_content_free_bytes', 'Free space where a node of the content store lies');
  new Gauge({
    name: 'medseal_content_reachable',
    help: '1 while a node of the content store answers, else 0; 0 is an alarm',
    labelNames: ['node'],
    registers: [registry],
    async collect() {
      const told = await status();
      for (const one of [this, batches, bytes, free]) one.reset();
      for (const [index, node] of (told.nodes ?? [told]).entries()) {
        const labels = { node: String(index + 1) };
        this.set(labels, node.reachable ? 1 : 0);
        if (node.roots !== undefined) batches.set(labels, node.roots);
        if (node.bytes !== undefined) bytes.set(labels, node.bytes);
        if (node.freeBytes !== undefined) free.set(labels, node.freeBytes);
      }
    },
  });
}
