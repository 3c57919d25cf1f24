{{- define "database.plugin" -}}
barman-cloud.cloudnative-pg.io
{{- end }}

{{- /* Where backups go; the operator and the plugin take the same words. */}}
{{- define "database.store" -}}
destinationPath: s3://{{ .Values.backup.bucket }}/{{ .Values.backup.path }}
s3Credentials:
  inheritFromIAMRole: true
data:
  compression: gzip
wal:
  compression: gzip
  maxParallel: 2
{{- end }}

{{- /* The database's AWS role, by the token that its pods have in /projected. */}}
{{- define "database.awsRole" -}}
- name: AWS_REGION
  value: {{ .Values.backup.region }}
- name: AWS_ROLE_ARN
  value: {{ .Values.backup.roleArn }}
- name: AWS_WEB_IDENTITY_TOKEN_FILE
  value: /projected/aws/token
- name: AWS_STS_REGIONAL_ENDPOINTS
  value: regional
{{- end }}

{{- /* A moment as PostgreSQL takes it, in UTC, such as 2026-11-24 09:30:00+00. The operator rewrites RFC 3339, and 1.22 keeps
its `Z`, which PostgreSQL refuses; this form every version hands on as it is. */}}
{{- define "database.moment" -}}
{{- $moment := mustRegexReplaceAll "([+-][0-9]{2})$" (. | replace " " "T") "${1}:00" -}}
{{- dateInZone "2006-01-02 15:04:05" (mustToDate "2006-01-02T15:04:05Z07:00" $moment) "UTC" }}+00
{{- end }}
