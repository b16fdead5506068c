// What is wrong with this SVG document as it is shown now, as a list of sentences.
const found = [];
const svg = document.documentElement;
const {width, height} = svg.viewBox.baseVal;
if (!svg.querySelector("title")?.textContent.trim()) found.push("no title");

const parts = [...svg.querySelectorAll("rect, text")];
const boxes = new Map(parts.map((part) => [part, part.getBBox()]));
const brief = (text) => text.textContent.slice(0, 40);

const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = (colour) => {
  const [red, green, blue] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};
const contains = (outer, {x, y, width, height}) =>
  outer.x <= x && outer.y <= y && x + width <= outer.x + outer.width && y + height <= outer.y + outer.height;
const overlap = (one, other) =>
  one.x + 1 < other.x + other.width && other.x + 1 < one.x + one.width
  && one.y + 3 < other.y + other.height && other.y + 3 < one.y + one.height;

const texts = parts.filter((part) => part.localName === "text");
for (const text of texts) {
  const box = boxes.get(text);
  if (!contains({x: 2, y: 2, width: width - 4, height: height - 4}, box)) {
    found.push(`cut off: ${brief(text)}`);
  }
  // The area on which the text stands: the last one before it that has a fill.
  const centre = {x: box.x + box.width / 2, y: box.y + box.height / 2, width: 0, height: 0};
  const areas = parts.slice(0, parts.indexOf(text)).filter((part) =>
    part.localName === "rect" && contains(boxes.get(part), centre));
  const area = areas.reverse().find((part) => getComputedStyle(part).fill !== "none");
  if (!area) {
    found.push(`on nothing: ${brief(text)}`);
    continue;
  }
  if (!contains(boxes.get(area), box)) found.push(`across a border: ${brief(text)}`);
  const ratio = contrast(getComputedStyle(text).fill, getComputedStyle(area).fill);
  if (ratio < 4.5) found.push(`a contrast of ${ratio.toFixed(2)}: ${brief(text)}`);
  for (const other of texts.slice(texts.indexOf(text) + 1)) {
    if (overlap(box, boxes.get(other))) found.push(`over each other: ${brief(text)}, ${brief(other)}`);
  }
}
return found;
