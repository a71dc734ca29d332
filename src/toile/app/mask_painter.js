// Paints a mask over a photo. `element`, `props`, `trigger` and `watch` are gradio's (gr.HTML).
// value: null, or {photo, mask, of, painted}: two pictures as data URLs, what they belong to, and whether a hand
// has changed the mask. White is marked, black is not.
const photo = element.querySelector('.photo'), ink = element.querySelector('.ink');
const stage = element.querySelector('.stage'), size = element.querySelector('input[type=range]');
const tools = [...element.querySelectorAll('[data-tool]')];
const INK = 'rgb(200, 72, 52)';
let shown = null, found = null, wiping = false, last = null;

function load(url) {
  return new Promise((done) => {
    const picture = new Image();
    picture.onload = () => done(picture);
    picture.onerror = () => done(null);
    picture.src = url;
  });
}

function draw(mask) {
  const context = ink.getContext('2d', { willReadFrequently: true });
  context.globalCompositeOperation = 'source-over';
  context.clearRect(0, 0, ink.width, ink.height);
  if (!mask) return;
  context.drawImage(mask, 0, 0, ink.width, ink.height);
  const pixels = context.getImageData(0, 0, ink.width, ink.height), data = pixels.data;
  for (let at = 0; at < data.length; at += 4) {
    const marked = data[at] > 127 ? 255 : 0;
    data[at] = 200; data[at + 1] = 72; data[at + 2] = 52; data[at + 3] = marked;
  }
  context.putImageData(pixels, 0, 0);
}

async function show() {
  const value = props.value;
  stage.hidden = !value;
  if (!value || value.of === shown) return;
  shown = value.of;
  const [picture, mask] = await Promise.all([load(value.photo), value.mask ? load(value.mask) : null]);
  if (!picture || value.of !== shown) return;
  for (const canvas of [photo, ink]) {
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
  }
  photo.getContext('2d').drawImage(picture, 0, 0);
  found = value.found === undefined ? mask : value.found;
  draw(mask);
  stage.dataset.ready = value.of;
}

function place(event) {
  const box = ink.getBoundingClientRect();
  return [(event.clientX - box.left) * ink.width / box.width, (event.clientY - box.top) * ink.height / box.height];
}

function stroke(to) {
  const context = ink.getContext('2d', { willReadFrequently: true });
  context.globalCompositeOperation = wiping ? 'destination-out' : 'source-over';
  context.strokeStyle = INK;
  context.lineWidth = Number(size.value) / 100 * Math.max(ink.width, ink.height);
  context.lineCap = context.lineJoin = 'round';
  context.beginPath();
  context.moveTo(...(last ?? to));
  context.lineTo(...to);
  context.stroke();
  last = to;
}

function tell(painted) {
  const told = document.createElement('canvas');
  told.width = ink.width;
  told.height = ink.height;
  const context = told.getContext('2d');
  const pixels = ink.getContext('2d', { willReadFrequently: true }).getImageData(0, 0, ink.width, ink.height);
  for (let at = 0; at < pixels.data.length; at += 4) {
    const marked = pixels.data[at + 3] > 127 ? 255 : 0;
    pixels.data[at] = pixels.data[at + 1] = pixels.data[at + 2] = marked;
    pixels.data[at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  props.value = { ...props.value, mask: told.toDataURL('image/png'), painted };
}

ink.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  event.preventDefault();
  ink.setPointerCapture(event.pointerId);
  last = null;
  stroke(place(event));
});
ink.addEventListener('pointermove', (event) => { if (last) stroke(place(event)); });
for (const end of ['pointerup', 'pointercancel']) {
  ink.addEventListener(end, () => { if (last) { last = null; tell(true); } });
}
for (const tool of tools) {
  tool.addEventListener('click', () => {
    if (tool.dataset.tool === 'again') { draw(found); tell(false); return; }
    wiping = tool.dataset.tool === 'wipe';
    for (const other of tools) other.setAttribute('aria-pressed', String(other === tool));
  });
}
watch('value', show);
show();
