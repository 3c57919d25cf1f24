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
