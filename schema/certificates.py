"""工会法人资格证: the photo that a registration shows."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import strawberry
from starlette.datastructures import UploadFile

from models.certificate import Certificate as CertificateRow
from resolvers import certificates
from schema.context import Info
from schema.errors import Answer, UserError, mutation
from schema.fields import resolved
from schema.node import Node, node_id
from schema.scalars import Moment


def _url(root: CertificateRow, info: Info) -> str:
    link = certificates.link_to(info.context, root.id)
    query = urlencode({"for": link.account_id, "expires": link.expires, "signature": link.signature})
    return f"{info.context.settings.public_url}/certificates/{root.id}?{query}"


@strawberry.type(
    description="证件照片: the photo of a 工会法人资格证, decoded, stripped of metadata and stored by its content."
)
class Certificate(Node):
    id: strawberry.ID = node_id("Certificate", "编号: give it to a registration.")
    media_type: str = strawberry.field(description="媒体类型: image/jpeg, image/png or image/webp.")
    byte_size: int = strawberry.field(description="大小, in bytes, as stored.")
    width: int = strawberry.field(description="宽, in pixels.")
    height: int = strawberry.field(description="高, in pixels.")
    sha256: str = strawberry.field(description="SHA-256 of what is stored, as 64 hexadecimal digits.")
    url: str = resolved(
        _url,
        "图片链接: shows the photo for some minutes, and only as long as its reader may see it.",
    )
    uploaded_at: Moment = strawberry.field(description="上传时间.")

    @classmethod
    def is_type_of(cls, row: object, _info: object) -> bool:
        return isinstance(row, CertificateRow)


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
    return Answer(certificate=await certificates.upload_certificate(info.context, await file.read()))


@strawberry.type
class CertificateMutations:
    upload_certificate: UploadCertificatePayload = mutation(
        _upload,
        "上传证件照片: the first of two steps. A form that is refused afterwards never costs a second upload.",
    )
