// Names and values, two by two.
import type { ComponentChildren } from 'preact';

export interface Fact {
  name: string;
  value: ComponentChildren;
}

export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl class="fact-list">
      {facts.map((fact) => (
        <div key={fact.name}>
          <dt>{fact.name}</dt>
          <dd>{fact.value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What an event carries besides the fields that all have, as text. */
export function attributeFacts(attributes: Record<string, unknown>): Fact[] {
  return Object.entries(attributes).map(([name, value]) => ({ name, value: attributeText(value) }));
}

export function attributeText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
