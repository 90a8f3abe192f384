"""The service of the README behind a proxy that asks Latchkey: it has no key and no check of its own."""

from asyncio import sleep
from uuid import UUID, uuid4

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel


class Process(BaseModel):
    status: str


class ProcessResponse(Process):
    id: UUID


app = FastAPI(title="API", redoc_url=None)


@app.post("/process", response_model=ProcessResponse)
async def process(body: Process):
    await sleep(0.5)
    if body.status == "SUCCESS":
        return ProcessResponse(status="SUCCESS", id=uuid4())
    raise HTTPException(500, "Task processing failed")
