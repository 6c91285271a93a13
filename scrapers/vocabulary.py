"""The registered words of the price book: providers, meters, service tiers, units.

Belongs here: closed lists and their aliases; an unknown word fails, it is never guessed.
Does not belong here: model names (open, each reader maps its own labels).
"""

from __future__ import annotations

from typing import Final

# Canonical provider -> other spellings seen in logs, price lists and ai-lib manifests.
PROVIDERS: Final[dict[str, tuple[str, ...]]] = {
    "ai21": ("ai21labs",),
    "aiml": ("aimlapi",),
    "aleph_alpha": ("alephalpha",),
    "anthropic": ("claude",),
    "anyscale": (),
    "assemblyai": (),
    "avian": (),
    "azure": (
        "azure_openai",
        "azureopenai",
        "azure-openai",
        "azure_ai",
        "azure-ai",
        "azure.ai.openai",
        "azure.ai.inference",
        "az.ai.openai",
        "az.ai.inference",
    ),
    "baichuan": (),
    "baidu": ("baidu_wenxin", "baiduwenxin", "ernie", "qianfan"),
    "baseten": (),
    "bedrock": ("aws-bedrock", "aws_bedrock", "amazon-bedrock", "bedrock_converse", "aws.bedrock", "amazon_bedrock"),
    "cerebras": (),
    "chutes": (),
    "cloudflare": ("cloudflare-workers-ai",),
    "cohere": ("cohere_chat",),
    "deepgram": (),
    "deepinfra": (),
    "deepseek": (),
    "digitalocean": ("gradient_ai",),
    "doubao": ("volcengine",),
    "edenai": (),
    "elevenlabs": (),
    "fal": ("fal_ai", "fal-ai"),
    "fireworks": ("fireworks_ai", "fireworks-ai"),
    "friendli": ("friendliai",),
    "github": (),
    "google": ("gemini", "google-gemini", "google_genai", "google-ai-studio", "gcp.gemini", "gcp.gen_ai", "google-gla"),
    "groq": (),
    "huggingface": ("hf",),
    "hunyuan": ("tencent_hunyuan", "tencenthunyuan", "tencent"),
    "hyperbolic": (),
    "inception": (),
    "jina": ("jina_ai",),
    "lambda_ai": ("lambda",),
    "lepton": (),
    "lm_studio": ("lmstudio",),
    "minimax": (),
    "mistral": ("mistral_ai", "mistralai"),
    "moonshot": ("kimi", "moonshotai", "moonshot_ai"),
    "morph": (),
    "nebius": (),
    "novita": ("novita_ai", "novita-ai"),
    "nscale": (),
    "nvidia": ("nvidia_nim",),
    "oci": ("oracle",),
    "ollama": ("ollama_chat",),
    "openai": (),
    "openrouter": (),
    "ovhcloud": ("ovh",),
    "perplexity": (),
    "qwen": ("dashscope", "alibaba", "tongyi"),
    "recraft": (),
    "replicate": (),
    "runwayml": ("runway",),
    "sambanova": (),
    "scaleway": (),
    "sensenova": ("sensetime",),
    "siliconflow": (),
    "spark": ("iflytek_spark", "iflytekspark", "iflytek"),
    "stability": ("stability_ai",),
    "tiangong": (),
    "together": ("togetherai", "together_ai"),
    "upstage": (),
    "v0": (),
    "vercel": ("vercel_ai_gateway",),
    "vertex": ("vertex_ai", "google-vertex", "gcp.vertex_ai", "vertexai", "google_vertexai"),
    "voyage": ("voyageai", "voyage_ai"),
    "wandb": (),
    "watsonx": ("watsonx_ai",),
    "writer": (),
    "xai": ("xai_grok", "xaigrok", "x_ai", "x-ai", "grok"),
    "xiaomi": (),
    "yi": ("01ai", "lingyiwanwu"),
    "zhipu": ("zhipuai", "glm", "zai", "z-ai"),
}

# meter -> what one unit of it is.
METERS: Final[dict[str, str]] = {
    "input": "token",
    "cache_read": "token",
    "cache_write_5m": "token",
    "cache_write_1h": "token",
    "cache_write_30m": "token",
    "cache_write": "token",
    "cache_storage_hour": "token hour",
    "input_audio": "token",
    "input_image": "token",
    "input_video": "token",
    "cache_read_audio": "token",
    "cache_read_image": "token",
    "cache_read_video": "token",
    "output": "token",
    "reasoning": "token",
    "citation": "token",
    "output_audio": "token",
    "output_image": "token",
    "output_video": "token",
    "embedding": "token",
    "moderation": "token",
    "rerank": "token",
    "training": "token",
    "training_hour": "hour",
    "indexing": "token",
    "request": "call",
    "request_low_context": "call",
    "request_medium_context": "call",
    "request_high_context": "call",
    "rerank_search": "call",
    "web_search": "call",
    "maps_grounding": "call",
    "file_search_call": "call",
    "tool_call": "call",
    "data_capture": "token",
    "image": "image",
    "image_megapixel": "megapixel",
    "video": "video",
    "video_second": "second",
    "song": "song",
    "page": "page",
    "annotated_page": "page",
    "audio_minute": "minute",
    "audio_minute_input": "minute",
    "audio_minute_output": "minute",
    "audio_hour": "hour",
    "audio_second": "second",
    "session_minute": "minute",
    "session_hour": "hour",
    "character": "character",
    "container_session": "container",
    "code_execution_hour": "container hour",
    "storage_gb_day": "GB day",
    "storage_month": "month per model",
    "compute_hour": "hour",
    # A factor on other meters (residency, regional endpoint): never an amount of money.
    "multiplier": "factor",
}

SERVICE_TIERS: Final = ("standard", "batch", "flex", "priority", "fast")
STATUSES: Final = ("active", "announced", "cancelled", "withdrawn")
EVIDENCE_KINDS: Final = ("official_page", "official_api", "aggregator", "contract", "manual")
CURRENCIES: Final = ("USD", "EUR", "CNY", "GBP", "JPY")

_ALIASES: Final = {alias: name for name, aliases in PROVIDERS.items() for alias in (name, *aliases)}


def provider_aliases() -> dict[str, str]:
    """Every accepted spelling of every provider -> its canonical name."""
    return dict(_ALIASES)


def canonical_provider(name: str) -> str | None:
    """The canonical provider for a spelling, or None: unknown stays unknown, never guessed."""
    return _ALIASES.get(name.strip().lower())
