// The palette as the style sheet has it, and the dashes that say the same without colour.

export const DASHES: number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 5]];

/** The colour of the `index`th series, from the style sheet's --series-1 … --series-8. */
export function seriesColour(index: number): string {
  return variable(`--series-${(index % 8) + 1}`);
}

export function variable(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Steps from no calls to most calls for heat maps, as RGB. */
export function heatColour(share: number): string {
  const from = rgb(variable('--heat-low'));
  const to = rgb(variable('--heat-high'));
  const mixed = from.map((low, index) => Math.round(low + ((to[index] ?? low) - low) * share));
  return `rgb(${mixed.join(' ')})`;
}

function rgb(hex: string): number[] {
  const digits = hex.replace('#', '');
  return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16));
}
