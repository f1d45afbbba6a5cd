// In: the rotary fields of a decoder's config and a length. Out: the cosine and sine tables of its positions.

import { z } from "zod";
import { InputError } from "../errors";

/** Angle of dimension pair i at position t: t · frequencies[i]. */
export interface Rope {
  readonly frequencies: readonly number[];
}

const scalingSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  partial_rotary_factor: z.number().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.number().positive().optional(),
});

/** transformers 4 writes rope_theta and rope_scaling, transformers 5 one rope_parameters. */
export const ropeFields = {
  rope_theta: z.number().positive().optional(),
  rope_scaling: scalingSchema.nullish(),
  rope_parameters: scalingSchema.nullish(),
};

type RopeJson = z.infer<z.ZodObject<typeof ropeFields>>;

/**
 * Frequencies θ^(−2i/D), i < D/2, with the scalings `linear` and `llama3`.
 *
 * `llama3` divides low frequencies (wavelength > L/low) by the factor, keeps high ones (< L/high) and blends between.
 * @throws InputError for any other scaling
 * Reference: transformers, modeling_rope_utils.py, `_compute_llama3_parameters`.
 */
export function parseRope(json: RopeJson, headSize: number, where: string): Rope {
  const scaling = json.rope_parameters ?? json.rope_scaling ?? {};
  const theta = scaling.rope_theta ?? json.rope_theta ?? 10000;
  const type = scaling.rope_type ?? scaling.type ?? "default";
  const plain = Array.from({ length: headSize / 2 }, (_, i) => theta ** ((-2 * i) / headSize));
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: length } = scaling;
  if (type === "default" && (scaling.partial_rotary_factor ?? 1) === 1) return { frequencies: plain };
  if (type === "linear" && factor) return { frequencies: plain.map((f) => f / factor) };
  if (type === "llama3" && factor && low && high && length) {
    return {
      frequencies: plain.map((f) => {
        const wavelength = (2 * Math.PI) / f;
        if (wavelength < length / high) return f;
        if (wavelength > length / low) return f / factor;
        const smooth = (length / wavelength - low) / (high - low);
        return ((1 - smooth) * f) / factor + smooth * f;
      }),
    };
  }
  throw new InputError(
    `${where}: rope_scaling: expected default, linear or llama3 with their factors, got ${JSON.stringify(scaling)}; choose a model without it`,
  );
}

/** Cosine and sine of every angle: [T·D/2] each. Angles are rounded to f32, as in the Python that trained the models. */
export function rotaryTables({ frequencies }: Rope, length: number): { cosine: Float32Array; sine: Float32Array } {
  const half = frequencies.length;
  const angle = (_: unknown, i: number) => Math.fround(Math.floor(i / half) * Math.fround(frequencies[i % half]));
  const cosine = new Float32Array(length * half).map((x, i) => Math.cos(angle(x, i)));
  const sine = new Float32Array(length * half).map((x, i) => Math.sin(angle(x, i)));
  return { cosine, sine };
}
