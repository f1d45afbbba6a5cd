// A PNG made by hand, with every filter of the specification, against its own pixels.
import { deflateSync, inflateSync } from "node:zlib";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { withPalette } from "../../lib/report/pngPalette";

const [WIDTH, HEIGHT] = [7, 6];
const chunk = (type: string, data: Buffer) => {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
};

/** Filters each row by its own filter number, as section 9.2 of the PNG specification has it. */
function encode(pixels: Buffer): Buffer {
  const stride = WIDTH * 4;
  const raw = Buffer.alloc((stride + 1) * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    const filter = y % 5;
    raw[y * (stride + 1)] = filter;
    for (let x = 0; x < stride; x++) {
      const at = (dy: number, dx: number) => (y < dy || x < dx ? 0 : pixels[(y - dy) * stride + x - dx]);
      const [left, up, corner] = [at(0, 4), at(1, 0), at(1, 4)];
      const p = left + up - corner;
      const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      raw[y * (stride + 1) + 1 + x] =
        pixels[y * stride + x] - [0, left, up, Math.floor((left + up) / 2), paeth][filter];
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 6], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(raw)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The colours of an indexed PNG without filters. */
function colors(png: Buffer): number[][] {
  const part = (type: string) => {
    const at = png.indexOf(type, 0, "latin1");
    return png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4));
  };
  const [palette, rows] = [part("PLTE"), inflateSync(part("IDAT"))];
  return Array.from({ length: HEIGHT * WIDTH }, (_, i) => {
    const index = rows[Math.floor(i / WIDTH) * (WIDTH + 1) + 1 + (i % WIDTH)];
    return [...palette.subarray(3 * index, 3 * index + 3)];
  });
}

test("few colours are kept exactly, whatever the filter of a row", () => {
  const pixels = Buffer.from(
    Array.from({ length: WIDTH * HEIGHT }, (_, i) => [(i * 37) % 256, (i * i) % 256, (200 - i) % 256, 255]).flat(),
  );
  const expected = Array.from({ length: WIDTH * HEIGHT }, (_, i) => [...pixels.subarray(4 * i, 4 * i + 3)]);
  expect(colors(withPalette(encode(pixels)))).toEqual(expected);
});

test("a PNG that has a palette already comes back as it is", () => {
  const once = withPalette(encode(Buffer.alloc(WIDTH * HEIGHT * 4, 255)));
  expect(withPalette(once)).toBe(once);
});
