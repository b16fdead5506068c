// What is wrong with the page as it is shown now, as a list of sentences.
const found = [];
const wide = document.documentElement.clientWidth;
const shown = (element) => element.checkVisibility({opacityProperty: true, visibilityProperty: true});
const brief = (element) => `<${element.localName}> ${element.textContent.trim().slice(0, 40)}`;
const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
const ancestors = function* (element) {
  for (let at = element; at; at = at.parentElement) yield at;
};

// --- overflow ---

if (document.scrollingElement.scrollWidth > wide) {
  found.push(`the page is ${document.scrollingElement.scrollWidth} pixels wide`);
}
for (const element of document.querySelectorAll("main *")) {
  const {right, width} = element.getBoundingClientRect();
  if (width && right > wide + 1 && shown(element) && ![...ancestors(element)].some(scrolls)) {
    found.push(`outside of the window: ${brief(element)}`);
  }
}

// --- pictures ---

// The smallest text of a picture has 13 pixels, and must stay legible.
const LEGIBLE = 9;
for (const image of document.querySelectorAll("main img")) {
  if (!shown(image)) continue;
  const name = image.currentSrc.split("/").pop();
  if (!image.complete || !image.naturalWidth) found.push(`no picture: ${name}`);
  if (!image.alt.trim()) found.push(`a picture without a text: ${name}`);
  const size = 13 * image.getBoundingClientRect().width / image.naturalWidth;
  if (size < LEGIBLE) found.push(`its text has ${size.toFixed(1)} pixels: ${name}`);
}

// --- contrast (WCAG 2.2, 1.4.3) ---

const parse = (colour) => {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
  return {red, green, blue, alpha};
};
const over = (top, below) => {
  const mix = (name) => top[name] * top.alpha + below[name] * (1 - top.alpha);
  return {red: mix("red"), green: mix("green"), blue: mix("blue"), alpha: 1};
};
const background = (element) => {
  const layers = [];
  for (const at of ancestors(element)) {
    const layer = parse(getComputedStyle(at).backgroundColor);
    layers.push(layer);
    if (layer.alpha === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), parse("rgb(255, 255, 255)"));
};
const luminance = ({red, green, blue}) => {
  const part = (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
};
const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};
const pairs = new Set();
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !shown(element)) continue;
  const style = getComputedStyle(element);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const below = background(element);
  const ratio = contrast(over(parse(style.color), below), below);
  const pair = `${style.color} on ${Object.values(below).map(Math.round)}`;
  if (ratio < (large ? 3 : 4.5) && !pairs.has(pair)) {
    pairs.add(pair);
    found.push(`a contrast of ${ratio.toFixed(2)}: ${pair}: ${brief(element)}`);
  }
}

// --- structure ---

const headings = document.querySelectorAll("main h1").length;
if (headings !== 1) found.push(`${headings} headings of the first level`);
if (!document.documentElement.lang) found.push("no language");
if (!document.title) found.push("no title");
return found;
