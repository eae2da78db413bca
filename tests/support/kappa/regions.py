"""An account's IAM and Lambda in memory, with the calls that kappa makes for a plain function.

They follow AWS's documentation: they refuse what IAM refuses, and an unknown call is an error.
The state can be copied, so a test can return to it and try another order.
"""

# The parameters are named as AWS names them.
# ruff: noqa: N803

import json
import pickle
from types import SimpleNamespace

from kappa.errors import Conflict, Denied, NotFound
from local.testkit.events import ACCOUNT

REGIONS = ("us-east-1", "eu-west-1")
AWS_OWN = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def arn_of(kind, name):
    return f"arn:aws:iam::{ACCOUNT}:{kind}/kappa/{name}"


def refused(error, code):
    return error(f"AWS refused it ({code})", code=code)


def trust(*services):
    """The trust policy of a role that these services may assume."""
    principal = {"Service": services[0] if len(services) == 1 else list(services)}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class Account:
    """The account's `roles` by name, `policies` by ARN, `functions` by region and name."""

    def __init__(self):
        self.roles, self.functions = {}, {region: {} for region in REGIONS}
        self.policies = {AWS_OWN: {"versions": {"v1": "{}"}, "default": "v1", "tags": []}}
        # Regions that deny access, that are not enabled, that the organization denies.
        self.unseen, self.disabled, self.ruled_out = set(), set(), set()
        # Names and ARNs that may not be read.
        self.denied = set()

    def copy(self):
        return pickle.loads(pickle.dumps(self))

    def key(self):
        return json.dumps([self.roles, self.policies, self.functions], sort_keys=True)

    def made(self):
        """The roles and policies, without AWS's own."""
        return [*self.roles, *(arn for arn in self.policies if arn != AWS_OWN)]

    def rights(self, region, name):
        """The policy documents of a function's role, sorted; None without a function."""
        function = self.functions[region].get(name)
        if function is None:
            return None
        role = self.roles.get(function["Role"].rsplit("/", 1)[-1])
        if role is None or role["arn"] != function["Role"]:
            return ["no role"]
        documents = (self.policies[arn] for arn in role["attached"])
        return sorted(policy["versions"][policy["default"]] for policy in documents)

    def uses(self, arn):
        return sum(arn in role["attached"] for role in self.roles.values())

    def policy(self, arn):
        if arn in self.denied:
            raise refused(Denied, "AccessDenied")
        if arn not in self.policies:
            raise refused(NotFound, "NoSuchEntity")
        return self.policies[arn]

    def role(self, name):
        if name in self.denied:
            raise refused(Denied, "AccessDenied")
        if name not in self.roles:
            raise refused(NotFound, "NoSuchEntity")
        return self.roles[name]


class Region:
    """One region of an account, in place of kappa's Aws."""

    partition, account = "aws", ACCOUNT
    session = SimpleNamespace(get_available_regions=lambda *_: list(REGIONS))

    def __init__(self, account, region):
        self.of, self.region = account, region

    def remember_account(self, arn):
        assert ACCOUNT in arn

    def in_region(self, region):
        return Region(self.of, region)

    def call(self, service, operation, doing, params=None):
        return getattr(self, operation)(**(params or {}))

    def pages(self, service, operation, doing, key, params=None):
        return getattr(self, operation)(**(params or {}))

    # IAM: roles

    def get_role(self, RoleName):
        role = self.of.role(RoleName)
        own = {"Arn": role["arn"], "Tags": role["tags"]}
        trusted = {"AssumeRolePolicyDocument": trust("lambda.amazonaws.com")}
        return {"Role": own | trusted | role.get("more", {})}

    def list_attached_role_policies(self, RoleName):
        return [{"PolicyArn": arn} for arn in self.of.role(RoleName)["attached"]]

    def list_role_policies(self, RoleName):
        self.of.role(RoleName)
        return []

    def create_role(self, RoleName, Path, AssumeRolePolicyDocument, Tags):
        if RoleName in self.of.roles:
            raise refused(Conflict, "EntityAlreadyExists")
        arn = f"arn:aws:iam::{ACCOUNT}:role{Path}{RoleName}"
        self.of.roles[RoleName] = {"arn": arn, "attached": [], "tags": Tags}
        return {}

    def tag_role(self, RoleName, Tags):
        role = self.of.role(RoleName)
        keys = [tag["Key"] for tag in Tags]
        kept = [tag for tag in role["tags"] if tag["Key"] not in keys]
        role["tags"] = [*kept, *Tags]
        return {}

    def attach_role_policy(self, RoleName, PolicyArn):
        self.of.policy(PolicyArn)
        self.of.role(RoleName)["attached"].append(PolicyArn)
        return {}

    def detach_role_policy(self, RoleName, PolicyArn):
        self.of.role(RoleName)["attached"].remove(PolicyArn)
        return {}

    def delete_role(self, RoleName):
        if self.of.role(RoleName)["attached"]:
            raise refused(Conflict, "DeleteConflict")
        del self.of.roles[RoleName]
        return {}

    # IAM: policies

    def get_policy(self, PolicyArn):
        policy = self.of.policy(PolicyArn)
        own = {"Arn": PolicyArn, "DefaultVersionId": policy["default"], "Tags": policy["tags"]}
        return {"Policy": {**own, "AttachmentCount": self.of.uses(PolicyArn)}}

    def get_policy_version(self, PolicyArn, VersionId):
        text = self.of.policy(PolicyArn)["versions"][VersionId]
        return {"PolicyVersion": {"Document": json.loads(text)}}

    def list_policy_versions(self, PolicyArn):
        policy = self.of.policy(PolicyArn)
        return [
            {"VersionId": version, "IsDefaultVersion": version == policy["default"]}
            for version in policy["versions"]
        ]

    def create_policy(self, PolicyName, Path, PolicyDocument, Tags):
        arn = f"arn:aws:iam::{ACCOUNT}:policy{Path}{PolicyName}"
        if arn in self.of.policies:
            raise refused(Conflict, "EntityAlreadyExists")
        self.of.policies[arn] = {"versions": {"v1": PolicyDocument}, "default": "v1", "tags": Tags}
        return {}

    def create_policy_version(self, PolicyArn, PolicyDocument, SetAsDefault):
        policy = self.of.policy(PolicyArn)
        assert len(policy["versions"]) < 5
        version = f"v{max(int(version[1:]) for version in policy['versions']) + 1}"
        policy["versions"][version] = PolicyDocument
        policy["default"] = version
        return {}

    def tag_policy(self, PolicyArn, Tags):
        self.of.policy(PolicyArn)["tags"] = Tags
        return {}

    def delete_policy_version(self, PolicyArn, VersionId):
        del self.of.policy(PolicyArn)["versions"][VersionId]
        return {}

    def delete_policy(self, PolicyArn):
        if self.of.uses(PolicyArn) or len(self.of.policy(PolicyArn)["versions"]) > 1:
            raise refused(Conflict, "DeleteConflict")
        del self.of.policies[PolicyArn]
        return {}

    # Lambda

    def list_functions(self, FunctionVersion):
        if self.region in self.of.unseen:
            raise refused(Denied, "AccessDeniedException")
        if self.region in self.of.disabled:
            raise refused(Denied, "UnrecognizedClientException")
        if self.region in self.of.ruled_out:
            text = "You are not authorized, with an explicit deny in a service control policy: arn"
            raise Denied(text, code="AccessDeniedException", text=text)
        return list(self.of.functions[self.region].values())

    def _function(self, name):
        if name not in self.of.functions[self.region]:
            raise refused(NotFound, "ResourceNotFoundException")
        return self.of.functions[self.region][name]

    def get_function(self, FunctionName):
        return {"Configuration": self._function(FunctionName)}

    def create_function(self, FunctionName, Role, Code, **settings):
        assert self.of.role(Role.rsplit("/", 1)[-1])["arn"] == Role
        function = {
            "FunctionName": FunctionName,
            "FunctionArn": f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{FunctionName}",
            "State": "Active",
            "CodeSha256": "",
            "Role": Role,
            **settings,
        }
        self.of.functions[self.region][FunctionName] = function
        return function

    def update_function_configuration(self, FunctionName, **settings):
        if "Role" in settings:
            self.of.role(settings["Role"].rsplit("/", 1)[-1])
        self._function(FunctionName).update(settings)
        return {"LastUpdateStatus": "Successful"}

    def update_function_code(self, FunctionName, ZipFile):
        return {"LastUpdateStatus": "Successful"}

    def delete_function(self, FunctionName):
        del self.of.functions[self.region][FunctionName]
        return {}

    def list_event_source_mappings(self):
        return []

    def list_aliases(self, FunctionName):
        self._function(FunctionName)
        return []
