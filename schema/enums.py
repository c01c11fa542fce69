"""The words of the models as GraphQL enums, each with what it means."""

from __future__ import annotations

from enum import StrEnum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from models.duplicates import Likeness
from models.errors import Code
from models.kinds import EntryRoute, InviteStatus, TreeScope, UnionKind, UnionStatus
from models.permissions import Action, Role
from models.review import Decision, State
from storage.qr import QrFormat


def _describe(kind: type[StrEnum], name: str, description: str, **values: str) -> None:
    """Registers an enum of the models. It stays the plain enum for everybody to the right of the schema."""
    strawberry.enum(kind, name=name, description=description)
    definition: StrawberryEnumDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]


_describe(
    UnionKind,
    "UnionKind",
    "工会类型: what a union is in the tree.",
    GRASSROOTS="基层工会: the union of one employer's staff. Has 单位信息, takes no children.",
    HIGHER_LEVEL="基层以上工会: a federation or an industry union. Takes children, shares codes, reviews who applies.",
)
_describe(
    UnionStatus,
    "UnionStatus",
    "工会状态: whether a union still exists.",
    ACTIVE="正常: it exists.",
    DISSOLVED="已撤销: it was dissolved. Kept for its history, takes no registrations.",
)
_describe(
    TreeScope,
    "TreeScope",
    "范围: how far down a list looks.",
    DIRECT="直属: only what belongs to the union itself.",
    SUBTREE="全部下级: the union itself and everything below it.",
)
_describe(
    InviteStatus,
    "InviteStatus",
    "邀请码状态: whether a code still takes registrations.",
    OPEN="有效: it does.",
    EXPIRED="已过期: its time has passed.",
    EXHAUSTED="已用完: it has been used as often as it may be.",
    REVOKED="已作废: the union has withdrawn it.",
)
_describe(
    QrFormat,
    "QrFormat",
    "图片格式: how a QR code is drawn.",
    PNG="A bitmap, for showing and for saving to the phone's album.",
    SVG="A vector drawing, for printing at any size.",
)
_describe(
    State,
    "RegistrationStatus",
    "登记状态: where a registration stands.",
    PENDING="待审核: received, waiting for the union applied to.",
    APPROVED="审核通过: it has become a union of the tree.",
    REJECTED="审核不通过: see the opinion, correct the form and resubmit.",
    WITHDRAWN="已撤回: given up by its applicant.",
)
_describe(
    EntryRoute,
    "EntryRoute",
    "登记途径: how the applicant came to the form.",
    WECHAT_SCAN="微信扫码: WeChat's own scanner.",
    APP_SCAN="APP扫码: the scanner of the union's app, which opens the mini-program.",
    SEARCH="搜索小程序: found the mini-program and looked the parent up in the directory, without a code.",
)
_describe(
    Likeness,
    "DuplicateReason",
    "疑似重复原因: what a registration and a union have in common.",
    SAME_USCC="信用代码相同: the same unified social credit code.",
    SAME_LEGAL_PERSON="法定代表人相同: the same ID number of the legal person.",
    SAME_EMPLOYER="单位相同: the employer's credit code, or its name in the same division, is the same.",
    SIMILAR_NAME="名称相同或相似: the same name, or one much like it, in the same division.",
)
_describe(
    Decision,
    "ReviewDecision",
    "审核结论: what the reviewer decided.",
    APPROVE="通过: the registration becomes a union.",
    REJECT="不通过: the applicant corrects it by the opinion.",
)
_describe(
    Role,
    "Role",
    "职务: what an appointment is for. It reaches the union and everything below it, never up or sideways.",
    ADMINISTRATOR="管理员: manages the union, its codes, appointments and subtree; reviews who applies to it.",
    REVIEWER="审核员: reads the subtree; reviews who applies to the union.",
    ANALYST="分析员: reads the subtree, personal data masked.",
)
_describe(
    Action,
    "Action",
    "操作: what can be done at a union or with a registration.",
    READ="查看: see it.",
    INVITE="邀请: share and revoke its codes.",
    REVIEW="审核: decide on registrations that apply to it, or on this registration.",
    APPOINT="任免: appoint people there and end their appointments.",
    RENAME="更名: change its name.",
    MOVE="调整隶属: put it below another union.",
    DISSOLVE="撤销: end it.",
    EXPORT="导出: take its subtree out as a table, personal data masked.",
    RESUBMIT="重新提交: send the corrected form in again. For the applicant of a rejected registration.",
    WITHDRAW="撤回: give the registration up. For its applicant, until it is approved.",
)
_describe(
    Code,
    "ErrorCode",
    "错误码: why something was refused. The code is the API; the message is for people.",
    UNAUTHENTICATED="未登录: sign in first.",
    REAL_NAME_REQUIRED="未实名: the account's real name has to be verified first.",
    FORBIDDEN="无权操作: it can be seen but not done.",
    NOT_FOUND="不存在: there is no such thing, or none that may be seen.",
    REQUIRED="必填: something is missing.",
    INVALID="无效: not a value that can stand here.",
    TOO_LONG="过长: more characters than fit.",
    TOO_LARGE="过大: more bytes, pixels or entries than are taken.",
    UNSUPPORTED_MEDIA="格式不支持: not a JPEG, PNG or WebP image.",
    ID_NUMBER_INVALID="身份证号码无效: not a resident ID number by GB 11643-1999.",
    USCC_INVALID="统一社会信用代码无效: not a unified social credit code by GB 32100-2015.",
    REGION_UNKNOWN="行政区划不存在: not a current division by GB/T 2260.",
    PHONE_INVALID="电话号码无效: not a phone number.",
    NAME_TAKEN="名称重复: a union directly below the same parent has that name.",
    USCC_TAKEN="信用代码已登记: a union has that credit code.",
    PARENT_IS_GRASSROOTS="上级是基层工会: a grassroots union takes no children.",
    PARENT_DISSOLVED="上级已撤销: a dissolved union takes no children.",
    INVITE_EXPIRED="邀请码已过期: ask the union for a new one.",
    INVITE_EXHAUSTED="邀请码已用完: ask the union for a new one.",
    INVITE_REVOKED="邀请码已作废: ask the union for a new one.",
    CERTIFICATE_IN_USE="证件已使用: another registration shows this certificate.",
    OPINION_REQUIRED="请填写审核意见: a rejection needs an opinion.",
    SELF_REVIEW="不能审核自己的登记: nobody decides on their own registration.",
    STALE="内容已更新: the applicant has resubmitted since; read the new round.",
    WRONG_STATE="状态不符: the registration, or the union, is not in a state in which this can be done.",
    CYCLE="循环隶属: a union cannot be put below itself.",
    HAS_CHILDREN="仍有下级: something still hangs below it.",
    CREDENTIALS_INVALID="账号或密码错误: no such phone and password.",
    SECOND_FACTOR_REQUIRED="需要两步验证: sign in with a code of the authenticator app as well; at `code`, ask for it.",
    SECOND_FACTOR_INVALID="验证码错误: it is none of the app's for now, or has been used.",
    RATE_LIMITED="操作过于频繁: wait for `retryAfter` seconds, then try again.",
    IDEMPOTENCY_CONFLICT="幂等键冲突: the key was used for something else.",
)
