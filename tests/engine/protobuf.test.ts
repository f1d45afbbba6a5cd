// The hand-written encoding against google-protobuf's decoder of TensorFlow's own messages (inside tfjs-node).
import { describe, expect, it } from "vitest";
import { attrValue, functionBody, functionDef, nodeDef, savedModel } from "../../lib/engine/compile/protobuf";
import { varint } from "../../lib/engine/wire";

const messages = async () =>
  ((await import("@tensorflow/tfjs-node/dist/proto/api_pb" as string)) as any).default.tensorflow ??
  (globalThis as any).proto.tensorflow;

describe("protobuf", () => {
  it("writes numbers in base 128, negative ones in ten bytes", () => {
    expect([...varint(300)]).toEqual([0xac, 0x02]); // the example of the protocol buffers documentation
    expect([...varint(-1)]).toEqual([...Array(9).fill(0xff), 0x01]);
  });

  it("writes a saved model that protobuf reads back", async () => {
    const { SavedModel } = await messages();
    const node = nodeDef("y", "Pack", ["a", "b:1"], {
      T: attrValue.type(14),
      axis: attrValue.int(-2),
      keep: attrValue.bool(true),
      rate: attrValue.float(0.25),
      name: attrValue.string("v"),
      shape: attrValue.shape([3, 0]),
      list: attrValue.ints([1, -1]),
      Tin: attrValue.types([1, 14]),
      f: attrValue.func("g"),
      value: attrValue.tensor(3, [2], new Uint8Array(Int32Array.of(7, -7).buffer)),
    });
    const body = functionBody({
      inputs: [{ name: "i0", dtype: 1 }],
      outputs: [{ name: "o0", dtype: 14, source: "n0:y:0" }],
      nodes: [nodeDef("n0", "Cast", ["i0"], {})],
      attributes: { _noinline: attrValue.bool(true) },
    });
    const bytes = savedModel([node], [functionDef("g", body)]);
    const [meta] = SavedModel.deserializeBinary(new Uint8Array(bytes)).getMetaGraphsList();
    expect(meta.getMetaInfoDef().getTagsList()).toEqual(["serve"]);
    const [decoded] = meta.getGraphDef().getNodeList();
    expect([decoded.getName(), decoded.getOp(), decoded.getInputList()]).toEqual(["y", "Pack", ["a", "b:1"]]);
    const attribute = (name: string) => decoded.getAttrMap().get(name);
    expect(attribute("T").getType()).toBe(14);
    expect(attribute("axis").getI()).toBe(-2);
    expect(attribute("keep").getB()).toBe(true);
    expect(attribute("rate").getF()).toBe(0.25);
    expect(
      attribute("shape")
        .getShape()
        .getDimList()
        .map((d: any) => d.getSize()),
    ).toEqual([3, 0]);
    expect(attribute("list").getList().getIList()).toEqual([1, -1]);
    expect(attribute("Tin").getList().getTypeList()).toEqual([1, 14]);
    expect([...new Int32Array(attribute("value").getTensor().getTensorContent_asU8().slice().buffer)]).toEqual([7, -7]);
  });
});
