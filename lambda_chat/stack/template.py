"""The stack's CloudFormation template: its resources, and who may do what.

Owns the resources, parameters and outputs, except the tables (tables.py) and the alarms
(alarms.py); docs/stack.md explains each. It must not read the config or talk to AWS, so that the
same source always gives the same bytes.
"""

from awacs import aws, dynamodb, iot, s3, sns, sts
from troposphere import Equals, GetAtt, Output, Parameter, Ref, Sub, Tags, Template
from troposphere import iam as role
from troposphere import s3 as bucket
from troposphere import sns as topic

from lambda_chat.config import BUCKET_PATTERN, CLIENT_ID_PATTERN, DATA_PREFIX_PATTERN
from lambda_chat.stack.alarms import add_alarms, alarms_topic
from lambda_chat.stack.tables import tables

# pages of earlier versions load config.js and vendor/
PUBLIC_KEYS = ("index.html", "config.js", "css/*", "js/*", "vendor/*")
TAGS = Tags(Application="lambda-chat")
PUSH_WANTED = "PushWanted"
IOT_ARN = "arn:${AWS::Partition}:iot:${AWS::Region}:${AWS::AccountId}:"
CLIENT_ID = Ref("GoogleOAuthClientID")
BUCKET_ARN = "arn:${AWS::Partition}:s3:::${WebsiteS3BucketName}"
BUCKET_AND_OBJECTS = [Sub(BUCKET_ARN), Sub(BUCKET_ARN + "/*")]


def stack_template() -> str:
    """Return the template as JSON, with sorted keys."""
    template = Template(Description="Lambda Chat: a chat application without servers")
    template.set_version()
    for part in _parameters():
        template.add_parameter(part)
    template.add_condition(PUSH_WANTED, Equals(Ref("Push"), "true"))
    for part in (*_topics(), *tables(TAGS), *_website(), *_roles()):
        template.add_resource(part)
    add_alarms(template, _tls_only([sns.Publish], [alarms_topic()]), TAGS, PUSH_WANTED)
    for part in _outputs():
        template.add_output(part)
    return str(template.to_json(indent=2, sort_keys=True))


def _parameters() -> list[Parameter]:
    return [
        Parameter(
            "GoogleOAuthClientID",
            Type="String",
            Description="The OAuth client whose users may enter the chat",
            AllowedPattern=CLIENT_ID_PATTERN,
            ConstraintDescription="must be like 1234-abcd.apps.googleusercontent.com",
        ),
        Parameter(
            "WebsiteS3BucketName",
            Type="String",
            Description="The bucket that serves the page and holds the transcripts",
            AllowedPattern=BUCKET_PATTERN,
            MinLength=3,
            MaxLength=63,
            ConstraintDescription="must be 3 to 63 lower-case letters, digits and dashes",
        ),
        Parameter(
            "DataPrefix",
            Type="String",
            Description="The folder of the transcripts, readable by signed-in users only",
            Default="data/",
            AllowedPattern=DATA_PREFIX_PATTERN,
            ConstraintDescription="must end in a slash and be outside css/, js/ and vendor/",
        ),
        Parameter(
            "Push",
            Type="String",
            Description="Whether pages may listen for messages at AWS IoT Core",
            Default="false",
            AllowedValues=["true", "false"],
        ),
    ]


def _topics() -> list[topic.Topic | topic.TopicPolicy]:
    """Return the topics, which only identity policies open.

    Our policy replaces SNS's default, which admits every principal of the account, including the
    signed-in page.
    Source: Amazon SNS guide, "Example cases for Amazon SNS access control".
    """
    return [
        topic.Topic("WebsiteSnsTopic", DisplayName="Lambda Chat messages", Tags=TAGS),
        _topic_policy("WebsiteSnsTopicPolicy", Ref("WebsiteSnsTopic")),
        topic.Topic("FailuresTopic", DisplayName="Lambda Chat failures", Tags=TAGS),
        _topic_policy("FailuresTopicPolicy", Ref("FailuresTopic")),
    ]


def _topic_policy(title: str, arn: Ref) -> topic.TopicPolicy:
    return topic.TopicPolicy(
        title,
        Topics=[arn],
        PolicyDocument=aws.Policy(
            Version="2012-10-17", Statement=[_tls_only([sns.Publish], [arn])]
        ),
    )


def _website() -> list[bucket.Bucket | bucket.BucketPolicy]:
    website = bucket.Bucket(
        "WebsiteS3Bucket",
        BucketName=Ref("WebsiteS3BucketName"),
        OwnershipControls=bucket.OwnershipControls(
            Rules=[bucket.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        BucketEncryption=bucket.BucketEncryption(
            ServerSideEncryptionConfiguration=[
                bucket.ServerSideEncryptionRule(
                    ServerSideEncryptionByDefault=bucket.ServerSideEncryptionByDefault(
                        SSEAlgorithm="AES256"
                    )
                )
            ]
        ),
        # a public page needs a public bucket policy, but no public ACLs
        PublicAccessBlockConfiguration=bucket.PublicAccessBlockConfiguration(
            BlockPublicAcls=True,
            IgnorePublicAcls=True,
            BlockPublicPolicy=False,
            RestrictPublicBuckets=False,
        ),
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Retain",
        Tags=TAGS,
    )
    policy = bucket.BucketPolicy(
        "WebsiteS3BucketPolicy",
        Bucket=Ref(website),
        PolicyDocument=aws.Policy(
            Version="2012-10-17",
            Statement=[_public_page(), _tls_only([aws.Action("s3", "*")], BUCKET_AND_OBJECTS)],
        ),
    )
    return [website, policy]


def _public_page() -> aws.Statement:
    return aws.Statement(
        Sid="PublicPage",
        Effect=aws.Allow,
        Principal=aws.Principal("*"),
        Action=[s3.GetObject],
        Resource=[Sub(f"{BUCKET_ARN}/{key}") for key in PUBLIC_KEYS],
    )


def _tls_only(actions: list[aws.Action], resources: list[Ref | Sub]) -> aws.Statement:
    """Deny plain HTTP, also to the account's own principals.

    Loopback addresses are exempt: no request reaches AWS from there, and the emulated AWS of local
    mode speaks HTTP.
    """
    return aws.Statement(
        Sid="TlsOnly",
        Effect=aws.Deny,
        Principal=aws.Principal("*"),
        Action=actions,
        Resource=resources,
        Condition=aws.Condition(
            [
                aws.Bool({"aws:SecureTransport": "false"}),
                aws.NotIpAddress({"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}),
            ]
        ),
    )


def _roles() -> list[role.Role | role.PolicyType]:
    website = role.Role("WebsiteRole", AssumeRolePolicyDocument=_google_trust(), Tags=TAGS)
    website_policy = role.PolicyType(
        "WebsitePolicy",
        PolicyName="WebsitePolicy",
        Roles=[Ref(website)],
        PolicyDocument=aws.Policy(Version="2012-10-17", Statement=_signed_in_rights()),
    )
    push_policy = role.PolicyType(
        "PushPolicy",
        PolicyName="PushPolicy",
        Roles=[Ref(website)],
        PolicyDocument=aws.Policy(Version="2012-10-17", Statement=_listening_rights()),
        Condition=PUSH_WANTED,
    )
    # inline, so that the role never exists without the deny
    identity = role.Role(
        "IdentityRole",
        AssumeRolePolicyDocument=_google_trust(),
        Policies=[
            role.Policy(
                PolicyName="DenyEverything",
                PolicyDocument=aws.Policy(
                    Version="2012-10-17",
                    Statement=[
                        aws.Statement(
                            Sid="DenyEverything",
                            Effect=aws.Deny,
                            Action=[aws.Action("*")],
                            Resource=["*"],
                        )
                    ],
                ),
            )
        ],
        Tags=TAGS,
    )
    return [website, website_policy, push_policy, identity]


def _google_trust() -> aws.Policy:
    """Trust Google's tokens for our OAuth client only.

    `aud` is the token's azp if it has one, else its aud; `oaud` is always the token's aud.
    Source: IAM guide, "IAM and AWS STS condition context keys", web identity federation.
    """
    return aws.Policy(
        Version="2012-10-17",
        Statement=[
            aws.Statement(
                Sid="SignedInWithGoogle",
                Effect=aws.Allow,
                Principal=aws.Principal("Federated", "accounts.google.com"),
                Action=[sts.AssumeRoleWithWebIdentity],
                Condition=aws.Condition(
                    [
                        aws.StringEquals({"accounts.google.com:aud": CLIENT_ID}),
                        aws.StringEqualsIfExists({"accounts.google.com:oaud": CLIENT_ID}),
                    ]
                ),
            )
        ],
    )


def _signed_in_rights() -> list[aws.Statement]:
    transcripts = Sub(BUCKET_ARN + "/${DataPrefix}*")
    return [
        _allow("SendMessages", sns.Publish, Ref("WebsiteSnsTopic")),
        _allow("ReadTranscripts", s3.GetObject, transcripts),
        _allow("ReadHistory", dynamodb.Query, GetAtt("MessagesTable", "Arn")),
    ]


def _listening_rights() -> list[aws.Statement]:
    """Let pages listen to the topics of channels that they name, but not publish.

    Subscribe names a filter, of which `+` and `#` are parts, not wildcards; Receive names topics.
    One page that listens to everything would cost as much as all pages of a channel.
    Source: AWS IoT Core developer guide, "AWS IoT Core policy actions".
    """
    filters = IOT_ARN + "topicfilter/${AWS::StackName}/channel/*"
    return [
        _allow("Connect", iot.Connect, Sub(IOT_ARN + "client/${AWS::StackName}-*")),
        _allow("Subscribe", iot.Subscribe, Sub(filters)),
        aws.Statement(
            Sid="OneChannelAtATime",
            Effect=aws.Deny,
            Action=[iot.Subscribe],
            Resource=[Sub(f"{filters}{wildcard}*") for wildcard in "+#"],
        ),
        _allow("Receive", iot.Receive, Sub(IOT_ARN + "topic/${AWS::StackName}/channel/*")),
    ]


def _allow(sid: str, action: aws.Action, resource: Ref | Sub | GetAtt) -> aws.Statement:
    return aws.Statement(Sid=sid, Effect=aws.Allow, Action=[action], Resource=[resource])


def _outputs() -> list[Output]:
    """Return the values for config.yml; each Description is the value's key there."""
    return [
        Output("WebsiteSnsTopicArn", Description="sns_topic_arn", Value=Ref("WebsiteSnsTopic")),
        Output(
            "WebsiteRoleArn",
            Description="website_iam_role_arn",
            Value=GetAtt("WebsiteRole", "Arn"),
        ),
        Output(
            "IdentityRoleArn",
            Description="identity_iam_role_arn",
            Value=GetAtt("IdentityRole", "Arn"),
        ),
        Output("FailuresTopicArn", Description="failures_topic_arn", Value=Ref("FailuresTopic")),
        Output("MessagesTableName", Description="dynamodb_table", Value=Ref("MessagesTable")),
        Output(
            "MessagesTableArn",
            Description="dynamodb_table_arn",
            Value=GetAtt("MessagesTable", "Arn"),
        ),
        Output(
            "MessagesTableStreamArn",
            Description="dynamodb_stream_arn",
            Value=GetAtt("MessagesTable", "StreamArn"),
        ),
        Output("RateTableName", Description="rate_table", Value=Ref("RateTable")),
        Output("RateTableArn", Description="rate_table_arn", Value=GetAtt("RateTable", "Arn")),
    ]
