"""The second source system's score service: FastAPI, one text a request, torch f32. Arguments: model directory, port."""
import sys

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer


class Req(BaseModel):
    prompt: str
    response: str


app = FastAPI()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1], num_labels=1).eval()


@app.post("/score")
def score(req: Req):
    text = f"Question:\n{req.prompt}\n\nAnswer:\n{req.response}"
    enc = tokenizer(text, return_tensors="pt", truncation=True, max_length=512, padding=True)
    with torch.no_grad():
        return {"score": model(**enc).logits[0, 0].item()}


@app.get("/health")
def health():
    return {"status": "ok"}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
