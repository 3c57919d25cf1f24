{{- /* The shared account of a role, and the groups of those who are who they are in AWS: (dict "role" "read" "values" .Values) */ -}}
{{- define "access.subjects" -}}
- kind: ServiceAccount
  name: {{ .role }}
  namespace: {{ .values.accountsNamespace }}
{{- range get .values.groups .role }}
- kind: Group
  apiGroup: rbac.authorization.k8s.io
  name: {{ . | quote }}
{{- end }}
{{- end }}
