/** Draws a grid of rollouts' ends as SVG, readable by screen readers, and on any page: it has a background of its own. */
type Ends = Readonly<Record<"promoted" | "rolled-back" | "paused", number>>;

export interface FrontierGrid {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly (Ends | undefined)[] }[];
  /** The same as text. */
  readonly text: string;
}

const [left, top, width, height, gap] = [110, 66, 92, 34, 6] as const;
/** Bars of a cell, from left to right. Labels are for more than color. */
const parts = [
  { end: "rolled-back", name: "caught" },
  { end: "paused", name: "held" },
  { end: "promoted", name: "promoted" },
] as const;

export const frontierPicture = ({ title, columns, rows, text }: FrontierGrid): string => {
  const right = left + columns.length * (width + gap);
  const bottom = top + rows.length * (height + gap);
  const heads = columns.map((it, column) => label(left + column * (width + gap) + width / 2, top - 8, "middle", it));
  const names = rows.map(({ name }, row) => label(left - 10, top + row * (height + gap) + height / 2 + 5, "end", name));
  const cells = rows.flatMap((row, index) =>
    row.cells.map((ends, column) =>
      ends ? cell(left + column * (width + gap), top + index * (height + gap), ends) : "",
    ),
  );
  const legend = parts.map(({ end, name }, index) => {
    const x = left + index * 110;
    return `<rect class="${end}" x="${x}" y="${bottom + 10}" width="16" height="12" rx="2"/>${label(x + 22, bottom + 21, "start", name)}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${right + 10} ${bottom + 32}" role="img" aria-labelledby="title text">
<title id="title">${escapeXml(title)}</title>
<desc id="text">${escapeXml(text)}</desc>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.page { fill: #ffffff }
.head { font-weight: 600 }
.in { font-size: 12px; fill: #ffffff }
.rolled-back { fill: #1a7f37 }
.paused { fill: #9a6700 }
.promoted { fill: #cf222e }
@media (prefers-color-scheme: dark) { .page { fill: #0d1117 } text { fill: #e6edf3 } .in { fill: #ffffff } .rolled-back { fill: #238636 } .paused { fill: #9e6a03 } .promoted { fill: #da3633 } }
</style>
<rect class="page" width="${right + 10}" height="${bottom + 32}" rx="6"/>
<text class="head" x="10" y="18">${escapeXml(title)}</text>
${label(left, top - 28, "start", "harmed clients")}
${[...heads, ...names, ...cells, ...legend].filter(Boolean).join("\n")}
</svg>
`;
};

const label = (x: number, y: number, anchor: string, text: string): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(text)}</text>`;

/** A part with room for it has its per cent written in it. */
const cell = (x: number, y: number, ends: Ends): string => {
  let from = x;
  return parts
    .map(({ end }) => {
      const size = ends[end] * width;
      const at = from;
      from += size;
      if (size === 0) return "";
      const bar = `<rect class="${end}" x="${at.toFixed(1)}" y="${y}" width="${size.toFixed(1)}" height="${height}" rx="2"/>`;
      const text = `<text class="in" x="${(at + size / 2).toFixed(1)}" y="${y + height / 2 + 4}" text-anchor="middle">${Math.round(100 * ends[end])}</text>`;
      return size >= 24 ? bar + text : bar;
    })
    .join("");
};

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
