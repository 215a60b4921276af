(() => {
  const parse = colour => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return { r, g, b, a };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map(it => it / 255).map(it => it <= .03928 ? it / 12.92 : ((it + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  };
  const known = new Map([[null, parse('rgb(255, 255, 255)')]]);
  const behind = element => {
    if (!known.has(element)) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      known.set(element, colour.a === 1 ? colour : behind(element.parentElement));
    }
    return known.get(element);
  };
  // What is painted under a word of the picture: the shape beneath it, or the card that the picture is on.
  const beneath = text => {
    text.scrollIntoView({ block: 'center', inline: 'center' });
    const box = text.getBoundingClientRect();
    const shapes = document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2)
      .filter(it => ['rect', 'circle'].includes(it.tagName));
    for (const shape of shapes) {
      let fill = getComputedStyle(shape).fill;
      const pattern = /url\("?#([^")]+)/.exec(fill);
      if (pattern) fill = getComputedStyle(document.getElementById(pattern[1]).querySelector('rect')).fill;
      if (fill !== 'none' && parse(fill).a === 1) return parse(fill);
    }
    return behind(text.closest('svg').parentElement);
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(element)) continue;
    if (element.closest('title, desc, style, .skip') || !element.checkVisibility()) continue;
    seen.add(element);
    const style = getComputedStyle(element);
    const inPicture = element.tagName === 'text';
    const front = parse(inPicture ? style.fill : style.color);
    const found = ratio(front, inPicture ? beneath(element) : behind(element));
    if (found < 4.5) poor.push([found.toFixed(2), element.outerHTML.slice(0, 160)]);
  }
  return seen.size < 50 ? ['little text'] : poor;
})()
