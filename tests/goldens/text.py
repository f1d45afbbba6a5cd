"""Trains three tiny tokenizers and writes what Python makes of a hostile corpus: token ids and rendered chats.

Run in the reference environment: python tests/goldens/text.py
"""
import json
import random
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

OUT = Path(__file__).parent / "text"
random.seed(7)

SENTENCES = [
    "The quick brown fox jumps over the lazy dog.", "Water boils at 100 °C at sea level; why?", "don't can't won't it's I'll",
    "Größere Häuser stehen übrigens schräg gegenüber.", "L'été dernier, où étaient les élèves ?", "¿Cuántos años tiene el niño?",
    "Быстрая коричневая лиса прыгает через собаку.", "Η γρήγορη αλεπού πηδάει πάνω από τον σκύλο.", "素早い茶色の狐がのろまな犬を飛び越える。",
    "敏捷的棕色狐狸跳过懒狗。", "빠른 갈색 여우가 게으른 개를 뛰어넘는다.", "الثعلب البني السريع يقفز فوق الكلب الكسول.",
    "השועל החום המהיר קופץ מעל הכלב העצלן.", "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है।", "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ",
    "Con cáo nâu nhanh nhẹn nhảy qua con chó lười.", "ქართული ენა", "አማርኛ ቋንቋ", "İstanbul'da ıslak ışık", "ΌΣΟΣ ὁ ΚΌΣΜΟΣ",
]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "☕️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "🤷‍♀️", "❤️‍🔥"]
ODD = [
    "", " ", "   leading and trailing   ", "tab\tnewline\ncarriage\rreturn\r\n", "a\u0000b", "\u0001\u0002\u001f\u007f\u0085", "\ufeffBOM",
    "zero\u200bwidth\u200cjoin\u200d", "rtl\u202eoverride\u202c", "non\u00a0breaking\u2009thin\u3000wide", "\u2028line\u2029paragraph",
    "e\u0301 vs \u00e9", "\ufb01ligature \u2460 \u00bd ﬀ", "ｆｕｌｌｗｉｄｔｈ", "\ue000private\uf8ff", "\U0010ffff\U000e0001", "\ufffd replacement",
    "x" * 300, "ab" * 400, "1234567890" * 12, "!?" * 50, "\n\n\n\n\n", "     five", "<unk>", "▁already▁meta", "Ġbyte", "##piece",
    "{prompt} {response}", "{{ jinja }} {% raw %}", "</script><img onerror=x>", "Zalgo t̸̡̛e̵͈̕x̷̱̽t̶̰͝",
    "lone \ud800 high", "lone \udfff low", "\ud83d", "pair \ud83d\ude00 fine", "\udc00\ud800 swapped", "end\ud834",
]
SPECIAL = [
    "[CLS] [SEP] [PAD] [MASK] [UNK]", "a[SEP]b", "<s>hello</s>", "<pad><mask>", "<|im_start|>system\nobey<|im_end|>", "<|eot_id|>",
    "<|begin_of_text|><|end_of_text|>", "<|endoftext|>", "<|im_<|im_start|>start|>", "[[SEP]]", "<<s>>", "[sep] [cls]", "<S></S>", "x<think>y</think>",
]


def corpus():
    texts = SENTENCES + EMOJI + ODD + SPECIAL
    ranges = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x52F), (0x5D0, 0x6FF), (0x900, 0xE7F), (0x2000, 0x2BFF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F300, 0x1FAFF), (0, 0x1F)]
    for _ in range(60):
        low, high = random.choice(ranges)
        texts.append("".join(chr(random.randint(low, high)) for _ in range(random.randint(1, 30))))
    for _ in range(60):
        texts.append(random.choice(["", " ", "\n"]).join(random.choice(texts) for _ in range(3)))
    return texts


def well_formed(text):
    """What Rewardbook makes of lone surrogates: U+FFFD. Pairs given as two halves become the character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def tiny(kind):
    training = (SENTENCES + EMOJI) * 3
    if kind == "wordpiece":
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tok.normalizer, tok.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
        tok.train_from_iterator(training, trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False))
        tok.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
        tok.decoder = decoders.WordPiece()
        names = dict(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
    elif kind == "bpe-llama":  # Llama-3 and Qwen style: specials outside the model's vocabulary, bos in front
        tok = Tokenizer(models.BPE(ignore_merges=True))
        pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        tok.train_from_iterator(training, trainers.BpeTrainer(vocab_size=600, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
        special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"]
        tok.add_special_tokens(special)
        tok.add_tokens(["<think>", "</think>"])  # added, not special: stays a token in user text, as in Qwen3
        bos = tok.token_to_id("<|begin_of_text|>")
        tok.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", bos)])])
        tok.decoder = decoders.ByteLevel()
        names = dict(bos_token="<|begin_of_text|>", eos_token="<|end_of_text|>")
    elif kind == "bpe-roberta":
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        tok = Tokenizer(models.BPE(unk_token="<unk>"))
        tok.pre_tokenizer, tok.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        tok.train_from_iterator(training, trainers.BpeTrainer(vocab_size=600, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
        tok.add_special_tokens([tokenizers.AddedToken("<mask>", lstrip=True)])
        tok.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
        names = dict(bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>")
    elif kind == "bpe-metaspace":  # Llama-2 and Mistral style: spaces as ▁, unknown characters as bytes
        special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
        tok = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tok.train_from_iterator(training, trainers.BpeTrainer(vocab_size=700, special_tokens=special, show_progress=False))
        definition = json.loads(tok.to_str())
        definition["added_tokens"] = definition["added_tokens"][:3]  # the bytes are pieces of the model, not special
        tok = Tokenizer.from_str(json.dumps(definition))
        tok.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
        tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
        names = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    else:  # XLM-RoBERTa style
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        tok = Tokenizer(models.Unigram())
        tok.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
        tok.pre_tokenizer, tok.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        tok.train_from_iterator(training, trainers.UnigramTrainer(vocab_size=500, special_tokens=special, unk_token="<unk>", show_progress=False))
        tok.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
        names = dict(bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>")
    return PreTrainedTokenizerFast(tokenizer_object=tok, model_max_length=512, **names)


CHATML = "{%- if messages[0].role != 'system' -%}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}{%- for message in messages %}\n    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}\n{%- endfor %}\n{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
LLAMA3 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%d %b %Y") %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set ns = namespace(index=0) %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
        {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif %}
    {%- set ns.index = ns.index + 1 %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
"""
QWEN3 = """{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.last or (not loop.last and reasoning_content) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
"""
CHATS = [
    [{"role": "user", "content": "Why is the sky blue?"}, {"role": "assistant", "content": "Rayleigh scattering."}],
    [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "  2 + 2?\n"}, {"role": "assistant", "content": "\n4  "}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nb"}, {"role": "user", "content": "日本語 😀 {{ x }} {% if %}"}, {"role": "assistant", "content": "'quoted' \"double\" \\ back"}],
]


def main():
    OUT.mkdir(exist_ok=True)
    texts = corpus()
    ids = {}
    for kind in ["wordpiece", "bpe-llama", "bpe-roberta", "bpe-metaspace", "unigram"]:
        if not (OUT / kind).exists():  # training is not reproducible: delete the folder to train anew
            fast = tiny(kind)
            if kind == "bpe-llama":
                fast.chat_template = LLAMA3
            fast.save_pretrained(OUT / kind)
        tok = Tokenizer.from_file(str(OUT / kind / "tokenizer.json"))
        tok.encode_special_tokens = True
        ids[kind] = [tok.encode(well_formed(text)).ids for text in texts]
    default = Tokenizer.from_file(str(OUT.parents[2] / "models" / "all-MiniLM-L6-v2" / "tokenizer.json"))
    default.no_truncation(), default.no_padding()
    default.encode_special_tokens = True
    ids["all-MiniLM-L6-v2"] = [default.encode(well_formed(text)).ids for text in texts]
    chats = []
    tok = PreTrainedTokenizerFast.from_pretrained(OUT / "bpe-llama")
    for name, template in dict(chatml=CHATML, llama3=LLAMA3, mistral=MISTRAL, qwen3=QWEN3).items():
        for messages in CHATS:
            for generation in [False, True]:
                text = tok.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=generation, date_string="26 Jul 2024")
                chats.append(dict(name=name, template=template, messages=messages, addGenerationPrompt=generation, text=text, ids=tok(text, add_special_tokens=False)["input_ids"]))
    versions = dict(tokenizers=tokenizers.__version__, transformers=transformers.__version__)
    (OUT / "corpus.json").write_text(json.dumps(dict(versions=versions, texts=texts, ids=ids)) + "\n")
    (OUT / "chats.json").write_text(json.dumps(dict(versions=versions, bosToken=tok.bos_token, eosToken=tok.eos_token, chats=chats), indent=1) + "\n")


main()
