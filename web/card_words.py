"""The card page's words, Chinese first. Both languages have the same keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.errors import Code
from models.locale import Locale

WORDS: Final[Mapping[Locale, Mapping[str, str]]] = {
    Locale.ZH: {
        "card": "工会名片",
        "GRASSROOTS": "基层工会",
        "HIGHER_LEVEL": "基层以上工会",
        "parent": "上级工会",
        "region": "行政区域",
        "phone": "联系电话",
        "register": "工会组织登记",
        "code": "工会登记二维码",
        "code_alt": "工会登记二维码，用微信扫一扫打开小程序",
        "here": "在微信里打开本页时，长按二维码即可识别",
        "next": "接下来",
        "scan": "用微信扫一扫",
        "scan_hint": "扫上面的二维码。只有这一部手机时，先截屏，再从扫一扫的“相册”里选取。",
        "open": "打开小程序",
        "open_hint": "核对页面上的上级工会，确认是“{name}”。",
        "sign_in": "登录",
        "sign_in_hint": "使用已完成实名认证的账号。",
        "fill_in": "填写登记表并提交",
        "fill_in_hint": "提交后状态为“待审核”，由上级工会审核，结果在小程序里查看。",
        "prepare": "填表需要的材料",
        "prepare_hint": "工会名称和行政区域、工会法人的身份证件号码、《工会法人资格证》照片；基层工会还需单位信息。",
        "sorry": "无法登记",
        "ask_title": "向上级工会索取新的二维码",
        "ask": "请上级工会的管理员重新分享组织登记二维码，再扫一次。",
        "look_up_title": "或者，自己查找上级工会",
        "look_up": "在微信中搜索并打开小程序，登录后从“工会目录”里找到上级工会，直接登记。",
    },
    Locale.EN: {
        "card": "Union card",
        "GRASSROOTS": "Grassroots union",
        "HIGHER_LEVEL": "Higher-level union",
        "parent": "Parent union",
        "region": "Region",
        "phone": "Telephone",
        "register": "Register a union",
        "code": "Registration code",
        "code_alt": "Registration QR code: scan it with WeChat to open the mini-program",
        "here": "Reading this inside WeChat? Press and hold the code.",
        "next": "What to do next",
        "scan": "Scan with WeChat",
        "scan_hint": "Scan the code above. With only this phone, take a screenshot and pick it from Album "
        "in WeChat’s scanner.",
        "open": "Open the mini-program",
        "open_hint": "Check that the parent union shown there is “{name}”.",
        "sign_in": "Sign in",
        "sign_in_hint": "Use an account whose real name has been verified.",
        "fill_in": "Fill in the form and submit it",
        "fill_in_hint": "It is then pending. The parent union reviews it, and the mini-program shows the decision.",
        "prepare": "What the form asks for",
        "prepare_hint": "The union’s name and region, the ID number of its legal person and a photo of its "
        "legal-person certificate; a grassroots union also needs its employer’s details.",
        "sorry": "Registration is not possible",
        "ask_title": "Ask the parent union for a new code",
        "ask": "Its administrator can make one. Then scan that code.",
        "look_up_title": "Or find the parent union yourself",
        "look_up": "Search for the mini-program in WeChat, sign in, find the parent union in the union directory "
        "(工会目录) and register there.",
    },
}

REFUSALS: Final[Mapping[Locale, Mapping[Code, str]]] = {
    Locale.ZH: {
        Code.NOT_FOUND: "没有找到这个二维码",
        Code.INVITE_EXPIRED: "这个二维码已过期",
        Code.INVITE_EXHAUSTED: "这个二维码的使用次数已用完",
        Code.INVITE_REVOKED: "上级工会已停用这个二维码",
        Code.PARENT_DISSOLVED: "分享这个二维码的工会已撤销",
        Code.RATE_LIMITED: "扫码过于频繁，请稍后再试",
    },
    Locale.EN: {
        Code.NOT_FOUND: "There is no such code",
        Code.INVITE_EXPIRED: "This code has expired",
        Code.INVITE_EXHAUSTED: "This code has been used up",
        Code.INVITE_REVOKED: "The parent union has withdrawn this code",
        Code.PARENT_DISSOLVED: "The union that shared this code has been dissolved",
        Code.RATE_LIMITED: "Too many codes were tried from here; please wait",
    },
}

# Of the sign-in form on GraphiQL's page.
REFUSED: Final[Mapping[Locale, Mapping[Code, str]]] = {
    Locale.ZH: {
        Code.CREDENTIALS_INVALID: "手机号或密码错误。",
        Code.SECOND_FACTOR_REQUIRED: "请输入身份验证器上的六位验证码。",
        Code.SECOND_FACTOR_INVALID: "验证码错误，或已使用过。",
        Code.RATE_LIMITED: "尝试次数过多，请在 {seconds} 秒后再试。",
    },
    Locale.EN: {
        Code.CREDENTIALS_INVALID: "The phone number or the password is wrong.",
        Code.SECOND_FACTOR_REQUIRED: "Enter the six digits that your authenticator app shows.",
        Code.SECOND_FACTOR_INVALID: "This code is wrong, or has been used.",
        Code.RATE_LIMITED: "Too many attempts; try again in {seconds} seconds.",
    },
}
