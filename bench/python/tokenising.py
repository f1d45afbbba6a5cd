"""Python tokenizers' side: rendered texts to ids, cut at the maximum length, in one batch call without offsets."""
import json

from tokenizers import Tokenizer

from side import serve


def setup(settings):
    tokenizer = Tokenizer.from_file(settings["model"] + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(settings["max_length"])
    items = json.load(open(settings["items"]))
    template = settings["template"]

    def unit():
        texts = [template.replace("{prompt}", item["prompt"]).replace("{response}", item["response"]) for item in items]
        encoded = tokenizer.encode_batch_fast(texts)
        return {"tokens": sum(len(text.ids) for text in encoded), "texts": len(items)}

    return unit


serve(setup)
