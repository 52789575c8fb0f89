# A multi-model endpoint, and a role for each tenant that may invoke the tenant's models on it.
#
#   terraform plan -out plan.bin && terraform show -json plan.bin | jq . > plan.json

variable "tenants" {
  type    = set(string)
  default = ["acme", "acme-corp"]
}

provider "aws" {
  region = "us-east-1"
}

data "aws_caller_identity" "current" {}

resource "aws_s3_bucket" "models" {
  bucket = "example-models"
}

resource "aws_iam_role" "execution" {
  name = "models-execution"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "read" {
  name = "read-models"
  role = aws_iam_role.execution.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = "s3:GetObject"
      # Not aws_s3_bucket.models.arn, which is known only after apply: the plan would not show it.
      Resource = "arn:aws:s3:::${aws_s3_bucket.models.bucket}/models/*"
    }]
  })
}

resource "aws_sagemaker_model" "models" {
  name               = "models"
  execution_role_arn = aws_iam_role.execution.arn
  primary_container {
    image          = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3"
    mode           = "MultiModel"
    model_data_url = "s3://example-models/models/"
  }
}

resource "aws_sagemaker_endpoint_configuration" "models" {
  name = "models"
  production_variants {
    variant_name           = "all"
    model_name             = aws_sagemaker_model.models.name
    instance_type          = "ml.m5.large"
    initial_instance_count = 1
  }
}

resource "aws_sagemaker_endpoint" "models" {
  name                 = "models"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.models.name
}

resource "aws_iam_role" "tenant" {
  for_each = var.tenants
  name     = each.key
  tags     = { tenant = each.key }
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "arn:aws:iam::111122223333:role/app" }
    }]
  })
}

resource "aws_iam_policy" "invoke" {
  for_each = var.tenants
  name     = "invoke-${each.key}"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "sagemaker:InvokeEndpoint"
      Resource = "arn:aws:sagemaker:us-east-1:${data.aws_caller_identity.current.account_id}:endpoint/models"
      # The leak: without a slash after the name, acme's pattern matches what is acme-corp's.
      Condition = { StringLike = { "sagemaker:TargetModel" = "${each.key}*" } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "invoke" {
  for_each   = var.tenants
  role       = aws_iam_role.tenant[each.key].name
  policy_arn = aws_iam_policy.invoke[each.key].arn
}
