/** Draws bar charts as SVG, readable on light and dark backgrounds and by screen readers. */

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** The text at the end of the bar. */
  readonly label: string;
  /** Whether the bar is Postern's. */
  readonly own: boolean;
}

const [row, left, width, right] = [26, 290, 420, 60] as const;

/** @param mark a value to compare all bars with */
export const bars = (title: string, all: readonly Bar[], mark?: number): string => {
  const most = Math.max(...all.map(({ value }) => value), mark ?? 0);
  const scaled = (value: number): string => ((value / most) * width).toFixed(1);
  const height = 44 + all.length * row;
  const lines = all.map(({ name, value, label, own }, index) => {
    const y = 36 + index * row;
    const text = `<text x="${left - 10}" y="${y + 14}" text-anchor="end">${escapeXml(name)}</text>`;
    const bar = `<rect class="${own ? "own" : "other"}" x="${left}" y="${y}" width="${scaled(value)}" height="${row - 8}" rx="2"/>`;
    return `${text}${bar}<text x="${left + Number(scaled(value)) + 6}" y="${y + 14}">${escapeXml(label)}</text>`;
  });
  const at = mark === undefined ? "" : String(left + Number(scaled(mark)));
  const line = mark === undefined ? "" : `<line x1="${at}" x2="${at}" y1="30" y2="${height - 8}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + right} ${height}" role="img" aria-label="${escapeXml(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.own { fill: #0969da }
.other { fill: #8c959f }
line { stroke: #1f2328; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .own { fill: #58a6ff } .other { fill: #6e7681 } line { stroke: #e6edf3 } }
</style>
<text class="title" x="10" y="18">${escapeXml(title)}</text>
${[...lines, line].filter(Boolean).join("\n")}
</svg>
`;
};

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
