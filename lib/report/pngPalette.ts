// In: a PNG of a drawing. Out: the same picture with at most 256 colours, a third of the bytes.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const MOST_COLORS = 256;
/** Colour types of the PNG specification that a browser writes, and their channels. */
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 };

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function encodeChunk({ type, data }: Chunk): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Undoes the filters of the rows (PNG specification, section 9). @returns the bytes of all pixels, row by row */
function unfilter(raw: Buffer, width: number, height: number, channels: number): Buffer {
  const stride = width * channels;
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? out[y * stride + x - channels] : 0;
      const up = y > 0 ? out[(y - 1) * stride + x] : 0;
      const corner = x >= channels && y > 0 ? out[(y - 1) * stride + x - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** The palette index of every pixel: colours are rounded to fewer bits until they are few enough. */
function indexed(pixels: Buffer, channels: number): { palette: Map<number, number>; indices: Buffer } {
  const count = pixels.length / channels;
  for (let bits = 8; ; bits--) {
    const step = 2 ** (8 - bits);
    const rounded = (value: number) => Math.min(255, Math.round(value / step) * step);
    const palette = new Map<number, number>();
    const indices = Buffer.alloc(count);
    let i = 0;
    for (; i < count; i++) {
      const [red, green, blue] = [0, 1, 2].map((channel) => rounded(pixels[i * channels + channel]));
      const color = (red << 16) | (green << 8) | blue;
      const known = palette.get(color) ?? palette.size;
      if (known === MOST_COLORS) break;
      palette.set(color, known);
      indices[i] = known;
    }
    if (i === count) return { palette, indices };
  }
}

/**
 * Rewrites an opaque PNG with a palette. A drawing has few colours beside the blends at its edges, so nothing is seen to change.
 * A file of another kind comes back as it is.
 */
export function withPalette(png: Buffer): Buffer {
  const chunks = chunksOf(png);
  const header = chunks[0].data;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = CHANNELS[header[9]];
  if (!channels || header[8] !== 8 || header[12] !== 0) return png;
  const raw = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data)));
  const { palette, indices } = indexed(unfilter(raw, width, height, channels), channels);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) indices.copy(rows, y * (width + 1) + 1, y * width, (y + 1) * width);
  const colors = Buffer.from([...palette.keys()].flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  const small = Buffer.from(header);
  small[9] = 3; // indexed colour
  return Buffer.concat([
    SIGNATURE,
    ...[
      { type: "IHDR", data: small },
      ...chunks.filter(({ type }) => type === "pHYs"),
      { type: "PLTE", data: colors },
      { type: "IDAT", data: deflateSync(rows, { level: 9 }) },
      { type: "IEND", data: Buffer.alloc(0) },
    ].map(encodeChunk),
  ]);
}
