# One key from .env before an empty route, as the README has it in FastAPI.

from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import APIKeyHeader

expected = Path(".env").read_text().strip().removeprefix("SERVICE_API_KEY=")


def authenticated(given: str | None = Depends(APIKeyHeader(name="X-API-Key", auto_error=False))):
    if given != expected:
        raise HTTPException(401, "Invalid or missing API Key", {"WWW-Authenticate": "X-API-Key"})


app = FastAPI(title="API", redoc_url=None)


@app.post("/welcome")
async def welcome():
    return Response()


@app.post("/process", dependencies=[Depends(authenticated)])
async def process():
    return Response()
