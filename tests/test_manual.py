"""The operating manual, step by step: the three ways in, as a union officer takes them."""

from __future__ import annotations

from models.kinds import UnionKind
from tests.world import EMPLOYER, World, codes, gid


async def test_scanning_in_wechat_registers_a_grassroots_union(world: World) -> None:
    """微信扫码 → 工会名片 → 登录 → 基层工会登记 → 待审核 → 审核不通过 → 修改 → 审核通过 → 分享自己的二维码."""
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province, region="440300")
    administrator, applicant = await world.administrator(city), await world.person("陈伟")

    # 1  The parent union shares its 组织登记二维码; scanning it shows the union's card.
    made = await administrator.do("createInvite", "invite { token url qrCode }", unionId=gid(city))
    scanned = made["invite"]["url"]
    card = await world.stranger().ask("query($c: String!) { invite(code: $c) { card { name parentName } } }", c=scanned)
    assert card == {"card": {"name": "深圳市总工会", "parentName": "广东省总工会"}}

    # 2  Signed in, the applicant uploads the certificate's photo and submits the form.
    received = await applicant.do(
        "registerGrassrootsUnion",
        "registration { id status statusLabel parentPath viewerCan warnings { code } }",
        parent={"inviteCode": scanned},
        name="华强电子厂工会",
        regionCode="440304",
        employer=EMPLOYER,
        legalPersonIdNumber="440524188001010014",
        certificateId=await applicant.certificate(),
        entryRoute="WECHAT_SCAN",
    )
    registration = received["registration"]
    assert registration["statusLabel"] == "待审核" and received["errors"] == []
    assert registration["parentPath"] == ["深圳市总工会"]  # the names above it are not the applicant's to see
    assert registration["viewerCan"] == ["READ", "WITHDRAW"]

    # 3  The administrator one level up reads the queue and rejects, with an opinion.
    queue = await administrator.ask("{ pendingReviews { nodes { id name parentPath viewerCan } } }")
    assert [waiting["name"] for waiting in queue["nodes"]] == ["华强电子厂工会"]
    assert queue["nodes"][0]["viewerCan"] == ["READ", "REVIEW"]
    refused = await administrator.review(
        registration["id"],
        "REJECT",
        opinion="证件照片不清晰",
        fieldOpinions=[{"field": "certificateId", "opinion": "看不清有效期"}],
    )
    assert refused["registration"]["status"] == "REJECTED"

    # 4  The applicant reads why, corrects and resubmits.
    mine = await applicant.ask(
        "{ viewer { registrations { nodes { statusLabel viewerCan reviews { opinion fieldOpinions { field } } } } } }"
    )
    [read] = mine["registrations"]["nodes"]
    assert read["statusLabel"] == "审核不通过" and read["viewerCan"] == ["READ", "RESUBMIT", "WITHDRAW"]
    assert read["reviews"] == [{"opinion": "证件照片不清晰", "fieldOpinions": [{"field": "certificateId"}]}]
    again = await applicant.do(
        "resubmitRegistration",
        "registration { round status submissions { round changed } }",
        registrationId=registration["id"],
        certificateId=await applicant.certificate(),
    )
    assert again["registration"] == {
        "round": 2,
        "status": "PENDING",
        "submissions": [{"round": 1, "changed": []}, {"round": 2, "changed": ["certificateId"]}],
    }

    # 5  Approved, it is a node of the tree, and its applicant administers it.
    approved = await administrator.review(registration["id"], round=2)
    union = approved["registration"]["union"]
    assert union["name"] == "华强电子厂工会" and union["path"].startswith(f"{city.path}.")
    tops = await applicant.ask("{ roots { name employer { name } legalPersonIdNumber viewerCan } }")
    assert tops == [
        {
            "name": "华强电子厂工会",
            "employer": {"name": "华强电子厂"},
            "legalPersonIdNumber": "4****************4",
            "viewerCan": ["READ", "APPOINT", "RENAME", "MOVE", "DISSOLVE", "EXPORT"],
        }
    ]
    told = await administrator.ask(
        "query($id: ID!) { union(id: $id) { events(first: 2) { nodes { summary } } } }", id=gid(city)
    )
    assert [event["summary"] for event in told["events"]["nodes"]] == [
        "华强电子厂工会审核通过",
        "华强电子厂工会重新提交登记",
    ]


async def test_scanning_in_the_app_registers_a_higher_level_union_that_invites_the_next(world: World) -> None:
    """APP 扫码 → 打开小程序 → 基层以上工会登记 → 审核通过 → 新工会分享二维码: the tree builds itself."""
    province = await world.union("广东省总工会")
    top, officer, next_one = await world.administrator(province), await world.person("李静"), await world.person("赵敏")

    # The app reads the code and opens the mini-program with what `launch` says.
    code = await world.invite(province)
    launch = await officer.ask(
        "query($c: String!) { invite(code: $c) { launch { path query scene appId } } }", c=code.token
    )
    assert launch["launch"]["scene"] == f"i={code.token}" and launch["launch"]["appId"] is None
    first = await officer.registered(code, name="深圳市总工会", regionCode="440300", entryRoute="APP_SCAN")
    union = (await top.review(first))["registration"]["union"]

    made = await officer.do("createInvite", "invite { token status }", unionId=union["id"])
    assert made["invite"]["status"] == "OPEN"
    second = await next_one.do(
        "registerHigherLevelUnion",
        "registration { parent { name } }",
        **world.form({"inviteCode": f"i={made['invite']['token']}"}, await next_one.certificate()),
    )
    assert second["registration"]["parent"]["name"] == "深圳市总工会"
    queue = await officer.ask("{ pendingReviews { totalCount } }")
    assert queue["totalCount"] == 1


async def test_without_a_code_the_applicant_looks_the_parent_up(world: World) -> None:
    """搜索小程序 → 工会目录 → 登记 → 撤回."""
    province = await world.union("广东省总工会")
    await world.union("深圳市总工会", province, region="440300")
    await world.union("深圳某厂工会", province, UnionKind.GRASSROOTS, region="440300")
    applicant = await world.person()

    directory = "query($s: String!) { unionDirectory(search: $s) { nodes { id name kind parentName } } }"
    [found] = (await applicant.ask(directory, s="深圳"))["nodes"]  # a grassroots union takes no children
    assert (found["name"], found["parentName"]) == ("深圳市总工会", "广东省总工会")

    received = await applicant.register({"unionId": found["id"]}, entryRoute="SEARCH")
    assert received["registration"]["statusLabel"] == "待审核"

    withdrawn = await applicant.do(
        "withdrawRegistration", "registration { statusLabel }", registrationId=received["registration"]["id"]
    )
    assert withdrawn["registration"]["statusLabel"] == "已撤回"
    twice = await applicant.do(
        "withdrawRegistration", "registration { statusLabel }", registrationId=received["registration"]["id"]
    )
    assert codes(twice) == ["WRONG_STATE"]
