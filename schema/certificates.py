"""工会法人资格证: the photo that a registration shows."""

from __future__ import annotations

import logging
from typing import Annotated
from urllib.parse import urlencode

import strawberry
from graphql import GraphQLError
from starlette.datastructures import UploadFile

from models.errors import OutOfSpace
from resolvers import certificates
from schema.context import GraphContext, Info
from schema.errors import Answer, UserError, mutation
from schema.node import Node
from schema.reading.fields import column, computed, global_id
from schema.reading.steps import Ref
from schema.refusals import Refusal, in_language
from schema.scalars import Moment
from storage.sources import CERTIFICATE

log = logging.getLogger(__name__)


def _url(context: GraphContext, certificate_id: int) -> str:
    link = certificates.link_to(context, certificate_id)
    query = urlencode({"for": link.account_id, "expires": link.expires, "signature": link.signature})
    return f"{context.settings.public_url}/certificates/{certificate_id}?{query}"


@strawberry.type(
    description="证件照片: the photo of a 工会法人资格证, decoded, stripped of metadata and stored by its content."
)
class Certificate(Node):
    id: strawberry.ID = global_id("Certificate", "编号: give it to a registration.")
    media_type: str = column("media_type", "媒体类型: image/jpeg, image/png or image/webp.")
    byte_size: int = column("byte_size", "大小, in bytes, as stored.")
    width: int = column("width", "宽, in pixels.")
    height: int = column("height", "高, in pixels.")
    sha256: str = column("sha256", "SHA-256 of what is stored, as 64 hexadecimal digits.")
    url: str = computed(
        lambda certificate, _: [certificate.id],
        _url,
        "图片链接: shows the photo for some minutes, and only as long as its reader may see it.",
    )
    uploaded_at: Moment = column("uploaded_at", "上传时间.")
    erased_at: Moment | None = column(
        "erased_at", "清除时间: since when there is no picture any more; null while there is."
    )


@strawberry.type(description="上传结果.")
class UploadCertificatePayload:
    certificate: Certificate | None = strawberry.field(description="证件照片: ready to be named by a registration.")
    errors: list[UserError] = strawberry.field(description="错误: why it was not taken; empty on success.")


async def _upload(
    info: Info,
    file: Annotated[
        UploadFile, strawberry.argument(description="文件: one JPEG, PNG or WebP, up to 10 MiB and 40 megapixels.")
    ],
) -> Answer:
    await file.seek(0)  # it has been read, if the first attempt was rolled back
    try:
        made = await certificates.upload_certificate(info.context, await file.read())
    except OutOfSpace as error:
        log.error("an upload was refused for want of room: %s", error)  # noqa: TRY400 - no fault of ours to trace
        message = in_language(Refusal.INSUFFICIENT_STORAGE, info.context.locale)
        raise GraphQLError(message, extensions={"code": Refusal.INSUFFICIENT_STORAGE}) from None
    return Answer(certificate=Ref(CERTIFICATE, (made.id,)))


@strawberry.type
class CertificateMutations:
    upload_certificate: UploadCertificatePayload = mutation(
        _upload,
        "上传证件照片: the first of two steps. A form that is refused afterwards never costs a second upload.",
    )
